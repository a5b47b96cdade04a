// The one way in which a test is skipped: with its reason, which the test report lists.
import type { Context } from "mocha";

/**
 * Skips the running test, or from a `before` hook every test of its suite. `reason` says what this machine lacks and
 * how to have it. A test that is pending without a reason fails where CI=true.
 */
export function skip(context: Context, reason: string): never {
  const running = context.test;
  const hook = /^"(before|after) (all|each)" hook/.exec(running?.title ?? "");
  const skipped = hook === null ? running : hook[2] === "all" ? running?.parent : context.currentTest;
  if (skipped !== undefined) Object.assign(skipped, { tillerSkipReason: reason });
  context.skip();
}
