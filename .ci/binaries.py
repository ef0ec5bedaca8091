"""Prints the size of each function and of its zip for both architectures, the newest C library version that it needs, and how
long Cargo's last step took (two functions at a time on two cores). Fails if Lambda could not run a binary, or if a zip is
larger than its bar: the target, or for a function that does not reach it the size in zip-sizes.json and a hundredth more.

Usage: binaries.py CARGO-TIMINGS.HTML. With WRITE_SIZES=1 it writes zip-sizes.json: do that only when the sizes became smaller,
or when the reason for a larger one is in docs/performance.md."""

import io
import json
import os
import pathlib
import re
import sys
import zipfile

from functions import functions

# What Amazon Linux 2023 has.
GLIBC = (2, 34)
# The targets: largest zip, in bytes.
TARGETS = {"create-invitation": 1_800_000, "accept-invitation": 1_800_000, "register-subscription": 1_800_000, "web": 700_000}
OTHERS = 2_000_000
# The zips over their target, by function and architecture, as this script wrote them.
REACHED = pathlib.Path(".ci/zip-sizes.json")
# Another compiler version or linker changes the size a little.
MARGIN = 1.01
ARM64 = pathlib.Path("target/arm64/aarch64-unknown-linux-gnu/release")
# The SDK sends it with each request to the table. The linker leaves it out of a function that calls no table.
SDK = b"DynamoDB_20120810"
WITHOUT_TABLE = {"web"}
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


def measure(function, binary, machine):
    """Size, zip size, newest C library version, and what is wrong."""
    data = binary.read_bytes()
    faults = [] if data[18] == MACHINES[machine] else [f"not {machine}"]
    glibc = newest_glibc(data)
    if glibc > GLIBC:
        faults.append(f"{machine} is too new for Amazon Linux 2023")
    if (SDK in data) != (function.binary not in WITHOUT_TABLE):
        faults.append(f"{machine} contains the table's client exactly if it should not")
    return len(data), zip_size(binary), glibc, faults


units = json.loads(re.search(r"const UNIT_DATA = (\[.*?\n\]);", pathlib.Path(sys.argv[1]).read_text(), re.DOTALL)[1])
seconds = {unit["name"]: unit["duration"] for unit in units if "bin" in unit["target"]}
reached = json.loads(REACHED.read_text())
found = {}
failed = missed = 0


def over_bar(function, machine, size):
    """What to report if a zip is over its target, and whether it is over its bar."""
    target = TARGETS.get(function, OTHERS)
    if size <= target:
        return [], 0
    found.setdefault(function, {})[machine] = size
    known = reached.get(function, {}).get(machine)
    if known is None:
        return [f"{machine}: {size - target} over the target, and no size is recorded: run with WRITE_SIZES=1"], 1
    grown = size > known * MARGIN
    return [f"{machine}: {size - target} over the target" + (f", {known} was reached" if grown else "")], int(grown)


print(f"{'function':24} {'x86_64':>10} {'zip':>9}  {'arm64':>10} {'zip':>9}  {'target':>9}  {'glibc':5}  {'build':>5}")
for function in functions():
    size, zipped, glibc, faults = measure(function, function.built, "x86_64")
    arm64 = ARM64 / function.binary
    zips, columns = {"x86_64": zipped}, f"{'–':>10} {'–':>9}"
    if arm64.exists():
        arm64_size, zips["arm64"], arm64_glibc, arm64_faults = measure(function, arm64, "arm64")
        faults += arm64_faults
        glibc = max(glibc, arm64_glibc)
        columns = f"{arm64_size:10} {zips['arm64']:9}"
    failed += len(faults)
    notes = list(faults)
    for machine, size_of_zip in zips.items():
        texts, grown = over_bar(function.binary, machine, size_of_zip)
        notes += texts
        missed += len(texts)
        failed += grown
    # A function that was up to date took no time.
    took = f"{seconds.get(function.binary, 0):.0f} s"
    version = ".".join(map(str, glibc))
    target = TARGETS.get(function.binary, OTHERS)
    print(f"{function.binary:24} {size:10} {zipped:9}  {columns}  {target:9}  {version:5}  {took:>5}  {', '.join(notes)}".rstrip())
print(f"zips over their target: {missed}")
if not ARM64.exists():
    print("skipped: zips for arm64: they were not built")
if os.environ.get("WRITE_SIZES"):
    # Without a build for arm64, its sizes stay.
    for function, sizes in ({} if ARM64.exists() else reached).items():
        if "arm64" in sizes:
            found.setdefault(function, {})["arm64"] = sizes["arm64"]
    REACHED.write_text(json.dumps(found, indent=2, sort_keys=True) + "\n")
sys.exit(failed > 0)
