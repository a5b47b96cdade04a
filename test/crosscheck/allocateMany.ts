// Reads a JSON list of problems on stdin and writes the list of answers of the allocator, for a cross-check in Python.
import { readFileSync } from "node:fs";
import { allocate } from "../../keeper/allocate/allocate";
import { parseProblem } from "../../keeper/allocate/problemFile";

const problems = JSON.parse(readFileSync(0, "utf8")) as unknown[];
const answers = problems.map((problem, i) => allocate(parseProblem(JSON.stringify(problem), `problem ${i}`)));
process.stdout.write(JSON.stringify(answers));
