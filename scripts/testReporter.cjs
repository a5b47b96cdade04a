// Mocha's spec reporter, which besides prints nothing: with TILLER_TEST_RESULTS set it appends one JSON line for each
// test to that file, so that `npm test` can count over all suites, also over one that dies half way.
"use strict";

const { appendFileSync } = require("node:fs");
const { reporters } = require("mocha");

const NO_REASON = "no reason given";

/** The reason that `test/skip.ts` left on the test, or on a suite around it. */
function skipReason(runnable) {
  for (let node = runnable; node; node = node.parent) {
    if (node.tillerSkipReason !== undefined) return node.tillerSkipReason;
  }
  return NO_REASON;
}

class TestReporter extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const file = process.env.TILLER_TEST_RESULTS;
    if (file === undefined) return;
    const write = (line) => appendFileSync(file, `${JSON.stringify(line)}\n`);
    runner.on("pass", (test) => write({ outcome: "passed", title: test.fullTitle() }));
    runner.on("pending", (test) => write({ outcome: "skipped", title: test.fullTitle(), reason: skipReason(test) }));
    runner.on("fail", (test, error) =>
      write({ outcome: "failed", title: test.fullTitle(), reason: String(error?.message ?? error).split("\n", 1)[0] }),
    );
    runner.on("end", () => write({ outcome: "end" }));
  }
}

module.exports = TestReporter;
