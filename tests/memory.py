"""Peak memory of a piece of code, measured in a process of its own."""

import json
import subprocess
import sys
import textwrap

# What was in memory before is subtracted; the limit of address space ends a process
# that would take the machine's memory instead of failing its test.
CASES = """
import json, resource, time
{setup}
def status(key):
    with open("/proc/self/status") as file:
        return next(int(l.split()[1]) for l in file if l.startswith(key)) * 1024
found = {{}}
for name, code in json.loads({cases!r}).items():
    space = status("VmSize") + {most}
    resource.setrlimit(resource.RLIMIT_AS, (space, resource.RLIM_INFINITY))
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")  # the peak so far is forgotten
    start, begin = status("VmHWM"), time.process_time()
    exec(code)
    seconds = time.process_time() - begin
    found[name] = [status("VmHWM") - start, seconds]
print("FOUND", json.dumps(found))
"""


def peak_bytes(code, setup="", *, most=2**31, timeout_s=120):
    """Bytes that `code` needs at its peak beyond what `setup` left in memory.

    Args:
        code: Python; it prints what it likes and must not fail.
        setup: Python that runs before: imports.
        most: bytes of address space after which allocations fail.
        timeout_s: a code that takes longer fails the test.
    """
    cases = {"code": textwrap.dedent(code)}
    peak, _ = peaks(cases, setup, most=most, timeout_s=timeout_s)["code"]
    return peak


def peaks(cases, setup="", *, most=2**31, timeout_s=600):
    """Peak memory of pieces of code, one after the other in one process.

    Args:
        cases: dict from name to Python code.
        setup, most, timeout_s: as of `peak_bytes`.

    Returns:
        dict from name to (bytes at the peak, seconds of the processor).
    """
    program = CASES.format(
        setup=textwrap.dedent(setup), cases=json.dumps(cases), most=most
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=timeout_s,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.rpartition("FOUND ")[2])
