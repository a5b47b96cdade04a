/** @jsxRuntime automatic */
// How the keeper is: is it awake, what has it seen, what has it landed.
import type { PageView } from "../../app/view";
import { countText, shortHex } from "./amounts";
import { Dot } from "./Frame";
import { headAgeSeconds } from "./Notices";
import { spanText } from "./times";
import { KEEPER } from "./words";

interface KeeperProps {
  readonly view: PageView;
  readonly now: number | null;
  readonly receivedAt: number | null;
}

export function Keeper({ view, now, receivedAt }: KeeperProps) {
  const { keeper, bundles, decisions } = view;
  const condition = KEEPER[keeper.state];
  const headAge = headAgeSeconds({ view, receivedAt }, now);
  const landed = decisions.find(({ includedBlock }) => includedBlock !== null);
  return (
    <section className="panel keeper" aria-labelledby="keeper">
      <h2 id="keeper">Keeper</h2>
      <p className="condition">
        <Dot tone={condition.tone} />
        {condition.word}
      </p>
      <p className="note">{condition.meaning}</p>
      <dl>
        <div>
          <dt>Head block</dt>
          <dd>{keeper.headBlock === null ? "none yet" : countText(keeper.headBlock)}</dd>
        </div>
        <div>
          <dt>Seen</dt>
          <dd>{headAge === null ? "—" : `${spanText(headAge)} ago`}</dd>
        </div>
        <div>
          <dt>Last full tick</dt>
          <dd>{keeper.lastTickBlock === null ? "none yet" : `block ${countText(keeper.lastTickBlock)}`}</dd>
        </div>
        <div>
          <dt>Bundles included</dt>
          <dd>{countText(bundles.included)}</dd>
        </div>
        <div>
          <dt>Bundles missed</dt>
          <dd>{countText(bundles.missed)}</dd>
        </div>
        <div>
          <dt>Last rebalance</dt>
          <dd>
            {landed === undefined ? (
              "none yet"
            ) : (
              <>
                {`block ${countText(landed.includedBlock ?? 0)}`}
                {landed.txHash !== null && (
                  <span className="hash" title={landed.txHash}>
                    {shortHex(landed.txHash)}
                  </span>
                )}
              </>
            )}
          </dd>
        </div>
      </dl>
    </section>
  );
}
