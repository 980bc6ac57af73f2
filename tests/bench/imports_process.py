"""Imports one entry point and tells what that took. It imports nothing else of its own that would be counted."""

import resource
import sys
from importlib.util import module_from_spec, spec_from_file_location


def main(path: str) -> None:
    """Import the file as the functions framework does."""
    before_modules = len(sys.modules)
    before = resource.getrusage(resource.RUSAGE_SELF)
    spec = spec_from_file_location("entry_point", path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{path} is no Python file")
    entry_point = module_from_spec(spec)
    sys.modules["entry_point"] = entry_point
    spec.loader.exec_module(entry_point)
    after = resource.getrusage(resource.RUSAGE_SELF)
    modules = len(sys.modules) - before_modules

    from tests.bench.usage import peak_rss_mib, tell

    tell(
        cpu_ms=(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000,
        modules=modules,
        peak_rss_mib=peak_rss_mib(),
    )


if __name__ == "__main__":
    main(sys.argv[1])
