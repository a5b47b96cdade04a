// Reads a JSON list of returns (series by venue) on stdin and writes covariance and risk-parity weights of each, for Python.
import { readFileSync } from "node:fs";
import { riskParity } from "../../keeper/allocate/riskParity";
import { shrunkCovariance } from "../../keeper/allocate/shrunkCovariance";

const all = JSON.parse(readFileSync(0, "utf8")) as number[][][];
const found = all.map((returns) => {
  const { matrix, shrinkage } = shrunkCovariance(returns);
  return { matrix, shrinkage, riskParity: riskParity(matrix) };
});
process.stdout.write(JSON.stringify(found));
