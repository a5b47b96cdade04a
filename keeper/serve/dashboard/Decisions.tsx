/** @jsxRuntime automatic */
// What the keeper decided and why, newest first, and what became of it.
import { useState } from "react";
import type { PageDecision, PageView } from "../../app/view";
import { countText, shortHex } from "./amounts";
import { DecisionDetails } from "./DecisionDetails";
import { decisionRuns, type DecisionRun } from "./runs";
import { isoText, spanText, timeText } from "./times";
import { DECISION_TONE, explorerUrl } from "./words";

const FIRST_RUNS = 20;
const MORE_RUNS = 40;

type Filter = "all" | "rebalance";

export function Decisions({ view }: { readonly view: PageView }) {
  const [filter, setFilter] = useState<Filter>("all");
  const [shown, setShown] = useState(FIRST_RUNS);
  const chosen = view.decisions.filter(({ action }) => filter === "all" || action === filter);
  const runs = decisionRuns(chosen);
  return (
    <section className="panel" aria-labelledby="decisions">
      <div className="title">
        <h2 id="decisions">Decisions</h2>
        <div className="filter" role="group" aria-label="Which decisions">
          <FilterButton label="All" pressed={filter === "all"} choose={() => setFilter("all")} />
          <FilterButton label="Rebalances" pressed={filter === "rebalance"} choose={() => setFilter("rebalance")} />
        </div>
      </div>
      <p className="hidden" role="status">
        {announcement(view)}
      </p>
      {runs.length === 0 ? (
        <p className="empty">
          {view.decisions.length === 0
            ? "No decision yet. The first comes with the keeper’s first full tick."
            : "No rebalance among the newest decisions."}
        </p>
      ) : (
        <ol className="decisions">
          {runs.slice(0, shown).map((run) => (
            <Run key={run.earlier.at(-1)?.id ?? run.newest.id} run={run} view={view} />
          ))}
        </ol>
      )}
      {runs.length > shown && (
        <button type="button" className="more" onClick={() => setShown(shown + MORE_RUNS)}>
          {`Show ${Math.min(MORE_RUNS, runs.length - shown)} more`}
        </button>
      )}
    </section>
  );
}

interface FilterButtonProps {
  readonly label: string;
  readonly pressed: boolean;
  choose(): void;
}

function FilterButton({ label, pressed, choose }: FilterButtonProps) {
  return (
    <button type="button" aria-pressed={pressed} onClick={choose}>
      {label}
    </button>
  );
}

function Run({ run: { newest, earlier }, view }: { readonly run: DecisionRun; readonly view: PageView }) {
  const oldest = earlier.at(-1);
  const { id, action, state, reason, stateReason, recordHash, txHash } = newest;
  return (
    <li className={`decision ${action}`}>
      <span className={`chip tone-${DECISION_TONE[state]}`}>{state}</span>
      <div className="what">
        <p className="reason">
          <strong>{action === "rebalance" ? "Rebalance:" : "Hold:"}</strong>
          {` ${reason}`}
        </p>
        {stateReason !== null && <p className="outcome">{stateReason}</p>}
        <Facts decision={newest} view={view} />
        <DecisionDetails key={id} id={id} action={action} state={state} recordHash={recordHash} txHash={txHash} />
        {oldest !== undefined && (
          <details className="earlier">
            <summary>{`${countText(earlier.length)} earlier since block ${countText(oldest.block)}`}</summary>
            <ol>
              {earlier.map((decision) => (
                <li key={decision.id}>
                  <span className="code">{countText(decision.block)}</span> {decision.reason}
                </li>
              ))}
            </ol>
          </details>
        )}
      </div>
    </li>
  );
}

/** When and where: the decision's block and age, where its plan landed. */
function Facts({ decision, view }: { readonly decision: PageDecision; readonly view: PageView }) {
  const { block, decidedAt, includedBlock, txHash } = decision;
  const explorer = txHash === null ? null : explorerUrl(view, txHash);
  return (
    <p className="meta">
      <span>{`Block ${countText(block)}`}</span>
      <time dateTime={isoText(decidedAt)} title={timeText(decidedAt)}>
        {`${spanText(view.blockTimestamp - decidedAt)} ago`}
      </time>
      {includedBlock !== null && <span>{`landed in block ${countText(includedBlock)}`}</span>}
      {txHash !== null &&
        (explorer === null ? (
          <span className="code" title={txHash}>
            {shortHex(txHash)}
          </span>
        ) : (
          <a className="code" href={explorer} rel="noreferrer noopener" title={txHash}>
            {shortHex(txHash)}
          </a>
        ))}
    </p>
  );
}

/** Read out when it changes: rebalances only, a hold of every block would never let a screen reader rest. */
function announcement({ decisions }: PageView): string {
  const newest = decisions.find(({ action }) => action === "rebalance");
  return newest === undefined ? "" : `Newest rebalance, of block ${newest.block}: ${newest.state}`;
}
