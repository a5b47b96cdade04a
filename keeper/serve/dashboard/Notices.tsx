/** @jsxRuntime automatic */
// What a reader must know before the figures: the stream is down, the breaker is tripped, a venue is quarantined, a pool
// keeps deposits shut, the keeper is in trouble. Nothing when all is well.
import { countText } from "./amounts";
import { spanText } from "./times";
import type { Live } from "./useLive";
import { BREAKER, sentence } from "./words";

/** A head older than this is worth a warning: five blocks of mainnet. */
const STALE_HEAD_SECONDS = 60;

export function Notices({ live, now }: { readonly live: Live; readonly now: number | null }) {
  const { view, stream, receivedAt } = live;
  const quarantined = view?.allocations.filter((allocation) => allocation.quarantined) ?? [];
  const unsteady = view?.allocations.filter(({ pool }) => pool?.shutsDeposits === true) ?? [];
  const headAge = headAgeSeconds(live, now);
  return (
    <div className="notices">
      <div role="status">
        {stream.kind === "down" && (
          <div className="notice tone-bad" id="stream-down">
            <strong>The live stream is down.</strong>{" "}
            {view === null ? "" : `These are the figures of block ${countText(view.block)}. `}
            <span aria-live="off">{retryText(stream.retryAt, now)}</span>{" "}
            <button type="button" onClick={live.retryNow}>
              Try now
            </button>
          </div>
        )}
        {view !== null && view.breaker !== "closed" && (
          <p className="notice tone-bad">
            <strong>{`Circuit breaker: ${BREAKER[view.breaker].word.toLowerCase()}.`}</strong>{" "}
            {BREAKER[view.breaker].meaning}
          </p>
        )}
        {quarantined.length > 0 && (
          <p className="notice tone-warn">
            <strong>{`Quarantined: ${quarantined.map(({ venue }) => venue).join(", ")}.`}</strong> Counted at zero until
            the timelock lifts it. An ordinary exit now is paid without it; an exit in kind keeps your part of it.
          </p>
        )}
        {unsteady.length > 0 && (
          <p className="notice tone-warn">
            <strong>{`Price away from fair: ${unsteady.map(({ venue }) => venue).join(", ")}.`}</strong> The vault takes
            no deposits until it is back. Exits stay open, from what is idle and from the other venues.
          </p>
        )}
        {view !== null && view.keeper.trouble !== null && (
          <p className="notice tone-warn">
            <strong>The keeper reports trouble.</strong> {sentence(view.keeper.trouble)}
          </p>
        )}
      </div>
      {stream.kind !== "down" && receivedAt !== null && headAge !== null && headAge > STALE_HEAD_SECONDS && (
        <p className="notice tone-warn">
          <strong>{`No new block for ${spanText(headAge)}.`}</strong> The node may be down or behind; exits go straight
          to the vault and need neither it nor the keeper.
        </p>
      )}
    </div>
  );
}

/** The age of the newest block now: as the keeper gave it, plus what has passed on this clock since. */
export function headAgeSeconds(live: Pick<Live, "view" | "receivedAt">, now: number | null): number | null {
  const age = live.view?.keeper.headAgeSeconds ?? null;
  if (age === null) {
    return null;
  }
  return now === null || live.receivedAt === null ? age : age + Math.max(0, (now - live.receivedAt) / 1000);
}

function retryText(retryAt: number, now: number | null): string {
  const seconds = now === null ? 0 : Math.ceil((retryAt - now) / 1000);
  return seconds > 0 ? `Trying again in ${seconds} s.` : "Trying again…";
}
