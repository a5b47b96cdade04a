"""Pytest plugin: appends one JSON line for each test to TILLER_TEST_RESULTS, as testReporter.cjs does for mocha."""

import json
import os


def _write(line):
    with open(os.environ["TILLER_TEST_RESULTS"], "a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def pytest_runtest_logreport(report):
    if report.failed:
        reason = str(report.longrepr).strip().splitlines()[-1] if report.longrepr else report.when
        _write({"outcome": "failed", "title": report.nodeid, "reason": reason})
    elif report.skipped:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        _write({"outcome": "skipped", "title": report.nodeid, "reason": reason.removeprefix("Skipped: ")})
    elif report.when == "call":
        _write({"outcome": "passed", "title": report.nodeid})


def pytest_collectreport(report):
    if report.failed:
        _write({"outcome": "failed", "title": report.nodeid, "reason": "could not be collected"})


def pytest_sessionfinish():
    _write({"outcome": "end"})
