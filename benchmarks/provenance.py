"""What a figure was measured on: the machine, the versions and the commit that go into every file of results."""
import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PROJECT = Path(__file__).parents[1]
CPU_INFO = Path("/proc/cpuinfo")
LIBRARIES = ("numba", "llvmlite", "numpy")


def measured_on(*packages):
    """Return {"machine", "versions", "commit"}; `packages` are distributions whose versions belong to the figures, None where one is missing."""
    versions = {"python": platform.python_version()} | {name: version_of(name) for name in (*LIBRARIES, *packages)}
    return {"machine": machine(), "versions": versions, "commit": commit()}


def version_of(package):
    """Return the version of an installed distribution, None if it is not there."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def machine():
    """Return the processor's name, how many there are, how busy they are with everything that runs, and the system."""
    lines = CPU_INFO.read_text(encoding="utf-8").splitlines() if CPU_INFO.exists() else []
    name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.processor())
    load = round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None
    return {"processor": name, "processors": os.cpu_count(), "load": load, "system": f"{platform.system()} {platform.machine()}"}


def commit():
    """Return the short hash of the commit, with a + where tracked files have been changed since; None outside a clone."""
    head = _git("rev-parse", "--short", "HEAD")
    return head and head + ("+" if _git("status", "--porcelain", "--untracked-files=no", "--", "lob", "benchmarks/*.py", "benchmarks/contenders") else "")


def _git(*arguments):
    try:
        done = subprocess.run(["git", "-C", PROJECT, *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def one_line(measured):
    """Return what a table's last line says."""
    machine, versions = measured["machine"], measured["versions"]
    named = ", ".join(f"{name} {number}" for name, number in versions.items() if number)
    return f"on {machine['processor']}, {machine['processors']} of them at a load of {machine['load']}; {named}; commit {measured['commit']}"
