"""What `sam build` made: the size of each function, its zip, and the C library that it asks for."""

import io
import pathlib
import re
import sys
import zipfile

# What Amazon Linux 2023 has.
GLIBC = (2, 34)
# The bar for a zip, in bytes.
ZIP = 2_000_000

failed = False
print(f"{'function':24} {'bytes':>10} {'zip':>10}  glibc")
for bootstrap in sorted(pathlib.Path(".aws-sam/build").glob("*/bootstrap")):
    data = bootstrap.read_bytes()
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.write(bootstrap, "bootstrap")
    versions = {tuple(map(int, v.split(b"."))) for v in re.findall(rb"GLIBC_(\d+\.\d+(?:\.\d+)?)", data)}
    newest, size = max(versions), len(zipped.getvalue())
    notes = []
    if newest > GLIBC:
        failed = True
        notes.append("too new for Amazon Linux 2023")
    if data[18:20] != b"\x3e\x00":
        failed = True
        notes.append("not x86_64")
    if size > ZIP:
        notes.append(f"over the bar of {ZIP}")
    print(f"{bootstrap.parent.name:24} {len(data):10} {size:10}  {'.'.join(map(str, newest))}  {', '.join(notes)}".rstrip())
sys.exit(failed)
