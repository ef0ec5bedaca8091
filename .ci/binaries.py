"""Prints the size of each function and of its zip for both architectures, the newest C library version that it needs, and how
long Cargo's last step took (two functions at a time on two cores). Fails if Lambda could not run a binary. A zip over its bar
is only reported.

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
# Largest zip, in bytes.
BARS = {"create-invitation": 1_800_000, "accept-invitation": 1_800_000, "register-subscription": 1_800_000, "web": 700_000}
OTHERS = 2_000_000
ARM64 = pathlib.Path("target/arm64/aarch64-unknown-linux-gnu/release")
# Byte 18 of an ELF file.
MACHINES = {"x86_64": 0x3E, "arm64": 0xB7}


def zip_size(binary):
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.write(binary, "bootstrap")
    return len(zipped.getvalue())


def newest_glibc(data):
    versions = re.findall(rb"GLIBC_(\d+\.\d+(?:\.\d+)?)", data)
    return max(tuple(map(int, version.split(b"."))) for version in versions)


def measure(binary, machine):
    """Size, zip size, newest C library version, and what is wrong."""
    data = binary.read_bytes()
    faults = [] if data[18] == MACHINES[machine] else [f"not {machine}"]
    glibc = newest_glibc(data)
    if glibc > GLIBC:
        faults.append(f"{machine} is too new for Amazon Linux 2023")
    return len(data), zip_size(binary), glibc, faults


units = json.loads(re.search(r"const UNIT_DATA = (\[.*?\n\]);", pathlib.Path(sys.argv[1]).read_text(), re.DOTALL)[1])
seconds = {unit["name"]: unit["duration"] for unit in units if "bin" in unit["target"]}
failed = missed = 0
print(f"{'function':24} {'x86_64':>10} {'zip':>9}  {'arm64':>10} {'zip':>9}  {'bar':>9}  {'glibc':5}  {'build':>5}")
for function in functions():
    bar = BARS.get(function.binary, OTHERS)
    size, zipped, glibc, faults = measure(function.built, "x86_64")
    arm64 = ARM64 / function.binary
    zips, columns = [zipped], f"{'–':>10} {'–':>9}"
    if arm64.exists():
        arm64_size, arm64_zip, arm64_glibc, arm64_faults = measure(arm64, "arm64")
        zips.append(arm64_zip)
        faults += arm64_faults
        glibc = max(glibc, arm64_glibc)
        columns = f"{arm64_size:10} {arm64_zip:9}"
    failed += len(faults)
    over = max(zips) - bar
    missed += over > 0
    notes = faults + ([f"{over} over the bar"] if over > 0 else [])
    # A function that was up to date took no time.
    took = f"{seconds.get(function.binary, 0):.0f} s"
    version = ".".join(map(str, glibc))
    print(f"{function.binary:24} {size:10} {zipped:9}  {columns}  {bar:9}  {version:5}  {took:>5}  {', '.join(notes)}".rstrip())
print(f"zips over their bar: {missed}")
sys.exit(failed > 0)
