"""What `sam build` made: the size of each function, its zip, the C library that it asks for, and how long Cargo needed for
its last and longest step, two at a time on two cores.

Usage: binaries.py CARGO-TIMINGS.HTML"""

import io
import json
import pathlib
import re
import sys
import zipfile

from functions import functions

# What Amazon Linux 2023 has.
GLIBC = (2, 34)
# The bar for a zip, in bytes.
ZIP = 2_000_000

failed = False
units = json.loads(re.search(r"const UNIT_DATA = (\[.*?\n\]);", pathlib.Path(sys.argv[1]).read_text(), re.DOTALL)[1])
seconds = {unit["name"]: unit["duration"] for unit in units if "bin" in unit["target"]}
print(f"{'function':24} {'bytes':>10} {'zip':>10}  {'glibc':6} {'build':>6}")
for function in functions():
    data = function.built.read_bytes()
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.write(function.built, "bootstrap")
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
    # What had been built before takes no time.
    took = f"{seconds.get(function.binary, 0):.0f} s"
    print(f"{function.binary:24} {len(data):10} {size:10}  {'.'.join(map(str, newest)):6} {took:>6}  {', '.join(notes)}".rstrip())
sys.exit(failed)
