/** @jsxRuntime automatic */
// The page. Rendered on the server from the newest view, hydrated in the browser from the same data.
import type { Boot, Problem } from "../wire";
import { Allocation } from "./Allocation";
import { Decisions } from "./Decisions";
import { Figures } from "./Figures";
import { Footer, Header } from "./Frame";
import { Keeper } from "./Keeper";
import { Notices } from "./Notices";
import { Pools } from "./Pools";
import { Rates } from "./Rates";
import { useLive, useNow } from "./useLive";
import { sentence } from "./words";

export function App({ boot }: { readonly boot: Boot }) {
  const live = useLive(boot);
  const now = useNow();
  const { view } = live;
  return (
    <>
      <a className="skip" href="#main">
        Skip to the figures
      </a>
      <Header view={view} stream={live.stream} />
      <main id="main" tabIndex={-1}>
        <Notices live={live} now={now} />
        {view === null ? (
          <Unavailable problem={live.problem} />
        ) : (
          <>
            <Figures view={view} />
            <div className="columns">
              <Allocation view={view} />
              <Keeper view={view} now={now} receivedAt={live.receivedAt} />
            </div>
            <Pools view={view} />
            <Rates view={view} />
            <Decisions view={view} />
          </>
        )}
      </main>
      <Footer view={view} />
    </>
  );
}

function Unavailable({ problem }: { readonly problem: Problem | null }) {
  return (
    <section className="panel unavailable" aria-labelledby="unavailable">
      <h1 id="unavailable">Nothing to show yet</h1>
      <p className="lead">{problem === null ? "The keeper has not read the vault yet." : sentence(problem.message)}</p>
      {problem !== null && (
        <p>
          {problem.remedy} <span className="code">{problem.code}</span>
        </p>
      )}
      <p className="muted">The page fills in by itself as soon as the first block has been read.</p>
    </section>
  );
}
