// A keeper that is killed right after the step named by KILL_AFTER: the same program as `tiller run`, with the one
// checkpoint that the product leaves empty. Not a test by itself; killAnywhere.test.ts starts it.
import { runFromConfig } from "../../keeper/app/run";
import { loadConfig } from "../../keeper/config/load";
import { logSink } from "../../keeper/events/logSink";
import { STEPS, type Step } from "../../keeper/events/steps";

const step = process.env["KILL_AFTER"];
if (!STEPS.includes(step as Step)) throw new Error(`KILL_AFTER must be one of ${STEPS.join(", ")}`);

void runFromConfig(loadConfig({ file: process.argv[2], env: process.env }), {
  env: process.env,
  once: false,
  dryRun: false,
  sink: logSink({ level: "debug", format: "json" }),
  signal: new AbortController().signal,
  checkpoint: (reached) => {
    // SIGKILL: no handler runs, nothing is flushed, as when the machine dies.
    if (reached === step) process.kill(process.pid, "SIGKILL");
  },
});
