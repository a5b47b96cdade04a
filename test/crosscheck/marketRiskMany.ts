// Reads a JSON list of lists of returns on stdin and writes the market risk of each, for a cross-check in Python.
import { readFileSync } from "node:fs";
import { isMonotone, marketRisk } from "../../keeper/risk/marketRisk";

const samples = JSON.parse(readFileSync(0, "utf8")) as number[][];
const answers = samples.map((returns) => {
  const risk = marketRisk(returns);
  return { ...risk, monotone: isMonotone(risk.moments.skewness, risk.moments.excessKurtosis) };
});
process.stdout.write(JSON.stringify(answers));
