// Points that sweeps of long ago brought out of order, judged in order once all of a range is there: each from the rows before
// it, as if it had come when its block was new. Rows that stand keep what they were judged to be.
import { UNJUDGED, type HistoryStore, type JudgedPoint } from "../store/historyRecords";
import { FollowedSeries } from "./followedSeries";

/** Ended in the middle, it goes on where it was. @throws WorldFailure `STORE_…`. */
export async function judgeSeries(store: HistoryStore, chainId: number): Promise<void> {
  for (const name of await store.unjudged(chainId)) {
    const series = { chainId, name };
    const followed = new FollowedSeries();
    for await (const page of store.history(series)) {
      const judged: JudgedPoint[] = [];
      for (const row of page) {
        if ((row.flags & UNJUDGED) === 0) followed.take(row);
        else judged.push(followed.next({ ...row, flags: 0 }));
      }
      await store.judge(series, judged);
    }
  }
}
