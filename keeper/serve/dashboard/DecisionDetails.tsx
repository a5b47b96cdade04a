/** @jsxRuntime automatic */
// A decision in full: its bundles, its record's hash, how to recompute it. Fetched when it is opened.
import { useEffect, useState } from "react";
import type { DecisionDetail, DecisionStatus } from "../../app/view";
import type { ErrorBody } from "../wire";
import { countText } from "./amounts";

interface DecisionDetailsProps {
  readonly id: string;
  readonly action: DecisionStatus["action"];
  readonly state: DecisionStatus["state"];
  readonly recordHash: string;
  readonly txHash: string | null;
}

type Loaded =
  | { readonly kind: "none" }
  | { readonly kind: "failed"; readonly message: string }
  | { readonly kind: "ready"; readonly detail: DecisionDetail };

export function DecisionDetails({ id, action, state, recordHash, txHash }: DecisionDetailsProps) {
  const [open, setOpen] = useState(false);
  const [loaded, setLoaded] = useState<Loaded>({ kind: "none" });

  // Read again when the state moves on: another bundle was sent, or one landed.
  useEffect(() => {
    if (!open || action === "hold") {
      return;
    }
    const abort = new AbortController();
    load(id, abort.signal).then(
      (result) => setLoaded(result),
      () => undefined,
    );
    return () => abort.abort();
  }, [open, id, action, state]);

  return (
    <details className="details" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{action === "rebalance" ? "Bundles and record" : "Record"}</summary>
      <dl>
        <dt>Record hash</dt>
        <dd className="code">{recordHash}</dd>
        {txHash !== null && (
          <>
            <dt>Transaction</dt>
            <dd className="code">{txHash}</dd>
          </>
        )}
        <dt>Recompute it</dt>
        <dd className="code">{`npm run -s tiller -- replay ${id}`}</dd>
      </dl>
      {action === "rebalance" && <Bundles loaded={loaded} />}
      <p>
        <a href={`/api/decisions/${id}`}>The whole record as JSON</a>
      </p>
    </details>
  );
}

function Bundles({ loaded }: { readonly loaded: Loaded }) {
  switch (loaded.kind) {
    case "none":
      return null;
    case "failed":
      return <p className="outcome">{loaded.message}</p>;
    case "ready":
      return loaded.detail.bundles.length === 0 ? (
        <p className="note">No bundle was sent for it.</p>
      ) : (
        <table className="bundles">
          <caption className="hidden">Bundles of this decision</caption>
          <thead>
            <tr>
              <th scope="col">Relay</th>
              <th scope="col">Target block</th>
              <th scope="col">State</th>
            </tr>
          </thead>
          <tbody>
            {loaded.detail.bundles.map(({ relay, targetBlock, state, error }) => (
              <tr key={`${relay} ${targetBlock}`}>
                <td>{relay}</td>
                <td>{countText(targetBlock)}</td>
                <td>{error === null ? state : `${state}: ${error}`}</td>
              </tr>
            ))}
          </tbody>
        </table>
      );
  }
}

async function load(id: string, signal: AbortSignal): Promise<Loaded> {
  try {
    const response = await fetch(`/api/decisions/${encodeURIComponent(id)}`, { signal });
    if (!response.ok) {
      const { error } = (await response.json()) as ErrorBody;
      return { kind: "failed", message: `${error.message}. ${error.remedy}` };
    }
    return { kind: "ready", detail: (await response.json()) as DecisionDetail };
  } catch (error) {
    if (signal.aborted) {
      throw error;
    }
    return { kind: "failed", message: "The server did not answer. Close and open this to try again." };
  }
}
