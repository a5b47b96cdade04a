// Which of the keeper's log lines `npm start` shows, and how.

/** Sweeps between two lines on the history: a minute of them. */
const SWEEPS_A_LINE = 30;

/** @returns null for what belongs in the log only. */
export function notable(event: Readonly<Record<string, unknown>>): string | null {
  const text = (key: string): string => String(event[key] ?? "");
  switch (event["event"] ?? event["name"]) {
    case "serve.listening":
      return `\n  the page is at ${text("url")}\n  Ctrl-C stops everything; npm start goes on where it stopped\n`;
    case "decision.made":
      return event["action"] === "rebalance" ? `decision ${text("id")}: ${text("reason")}` : null;
    case "bundle.included":
      return `bundle included in block ${text("block")}: ${text("txHash")}`;
    case "bundle.missed":
      return `bundle missed block ${text("targetBlock")}`;
    case "breaker.tripped":
    case "breaker.open":
    case "breaker.reset":
      return `${text("event")} ${text("reason")}`;
    case "tick.failed":
    case "model.trouble":
    case "rpc.trouble":
    case "store.trouble":
      return `${text("event")} ${text("code")} ${text("message")}`;
    default:
      return null;
  }
}

/** A line on the history that the keeper collects, at its first sweep and then now and then. */
export function historyGrowth(): (event: Readonly<Record<string, unknown>>) => string | null {
  let [sweeps, rows] = [0, 0];
  return (event) => {
    if (event["event"] !== "collect.swept") return null;
    sweeps += 1;
    rows += Number(event["stored"]);
    if (sweeps % SWEEPS_A_LINE !== 1) return null;
    return `history    ${rows} rows collected, ${String(event["readings"])} sources at block ${String(event["block"])}`;
  };
}
