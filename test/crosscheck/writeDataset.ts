// Writes the tests' small data set to the folder that is named, and one row of it as JSON, for a cross-check in Python.
import { writeDataset } from "../../keeper/forecast/dataset";
import { FEATURES, SeriesColumns, HORIZONS, peersOf, targetAt, writeFeatures } from "../../keeper/forecast/features";
import { BEGIN, FIXTURE, FIXTURE_SERIES, fixtureStore } from "../keeper/forecast/datasetFixture";

async function main(out: string): Promise<void> {
  await writeDataset(fixtureStore(), { out, series: FIXTURE_SERIES });
  const at = BEGIN + 400 * 3_600;
  const columns = new SeriesColumns();
  columns.add(FIXTURE.get("one-dai") ?? []);
  const known = columns.knownAt(at);
  const features = new Float64Array(FEATURES.length);
  writeFeatures(columns, { at, known, peers: peersOf([]) }, features, 0);
  // Exact in JSON: the shortest text that gives the same double; NaN has none.
  const exact = (values: Iterable<number>): (number | null)[] =>
    [...values].map((value) => (Number.isNaN(value) ? null : value));
  process.stdout.write(
    JSON.stringify({
      series: "one-dai",
      at,
      features: exact(features),
      targets: exact(HORIZONS.map((hours) => targetAt(columns, at, hours, known))),
    }),
  );
}

void main(process.argv[2] as string);
