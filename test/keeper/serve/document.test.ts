import { expect } from "chai";
import { embeddedJson, renderDocument } from "../../../keeper/serve/document";
import type { PageView } from "../../../keeper/app/view";
import type { Boot } from "../../../keeper/serve/wire";
import type { PoolPosition, RangeMarket } from "../../../keeper/venues/poolPosition";
import { INCLUDED, pageView } from "./fixture";

const LINKS = { stylesheet: "/assets/page.css?v=1", icon: "/assets/tiller.svg?v=1", script: "/assets/client-1.js" };

const ATTACKS = [
  "</script><script>alert(1)</script>",
  "<img src=x onerror=alert(1)>",
  "<!--<script>",
  '" onmouseover="alert(1)',
  "]]>\u2028alert(1)\u2029",
];

function documentWith(text: string): { html: string; boot: Boot } {
  const view = pageView({
    decisions: [{ ...INCLUDED, reason: text, stateReason: text }],
    keeper: { ...pageView().keeper, trouble: text },
    asset: { symbol: text, decimals: 6 },
    allocations: [{ ...pageView().allocations[0]!, venue: text, quarantined: true }],
    rates: [{ venue: text, points: pageView().rates[0]!.points }],
  });
  const boot: Boot = { build: LINKS.script, view, problem: null };
  return { html: renderDocument(boot, LINKS), boot };
}

function embedded(html: string): string {
  const match = /<script type="application\/json" id="boot">(.*?)<\/script>/s.exec(html);
  return match?.[1] ?? "";
}

describe("serve: the document", () => {
  for (const attack of ATTACKS) {
    it(`keeps ${JSON.stringify(attack)} as text`, () => {
      const { html, boot } = documentWith(attack);
      const clean = documentWith("plain").html;
      const tags = (text: string): string[] => [...text.matchAll(/<[a-z!/][^\s>]*/gi)].map(([tag]) => tag);
      expect(tags(html)).to.deep.equal(tags(clean));
      expect(html).not.to.match(/onmouseover="/);
      expect(JSON.parse(embedded(html))).to.deep.equal(boot);
    });
  }

  it("escapes what could end a script element or a line of JavaScript", () => {
    const text = "<\u2028\u2029</script>";
    const json = embeddedJson({ text });
    expect(json).to.equal('{"text":"\\u003c\\u2028\\u2029\\u003c/script>"}');
    expect(JSON.parse(json)).to.deep.equal({ text });
  });

  it("has no inline script, style or handler, and nothing from another host", () => {
    const { html } = documentWith("plain");
    expect(html).not.to.match(/\sstyle=|<style|\son[a-z]+=/);
    const scripts = [...html.matchAll(/<script([^>]*)>/g)].map(([, attributes]) => attributes);
    expect(scripts).to.deep.equal([' type="module" src="/assets/client-1.js"', ' type="application/json" id="boot"']);
    const loaded = [...html.matchAll(/<(?:link|script|img)[^>]*(?:href|src)="([^"]+)"/g)].map(([, url]) => url);
    expect(loaded).to.deep.equal([LINKS.icon, LINKS.stylesheet, LINKS.script]);
  });

  it("links a transaction to an explorer on mainnet only", () => {
    const page = (change: Parameters<typeof pageView>[0]): string =>
      renderDocument({ build: null, view: pageView(change), problem: null }, { ...LINKS, script: null });
    expect(page({ network: "mainnet", chainId: 1 })).to.contain(`href="https://etherscan.io/tx/${INCLUDED.txHash}"`);
    expect(page({ network: "fork", chainId: 1 })).not.to.contain("etherscan");
    expect(page({ network: "local" })).not.to.contain("etherscan");
  });

  it("says what each empty part waits for", () => {
    const view = pageView({
      totalAssets: "0",
      idle: "0",
      allocations: [],
      decisions: [],
      history: [],
      rates: [],
      bundles: { included: 0, missed: 0 },
    });
    const html = renderDocument({ build: null, view, problem: null }, { ...LINKS, script: null });
    for (const text of [
      "The vault is empty",
      "No decision yet",
      "Too few readings to draw yet",
      "Growth shows after the second reading",
    ]) {
      expect(html).to.contain(text);
    }
    expect(html).not.to.contain("NaN").and.not.to.contain("Infinity");
  });

  it("warns of a tripped breaker, a quarantined venue and a keeper in trouble, before the figures", () => {
    const calm = pageView();
    const view = pageView({
      breaker: "tripped",
      allocations: calm.allocations.map((allocation, i) => ({ ...allocation, quarantined: i === 1 })),
      keeper: { ...calm.keeper, trouble: "the relay does not answer" },
    });
    const html = renderDocument({ build: null, view, problem: null }, { ...LINKS, script: null });
    const figures = html.indexOf('id="figures"');
    for (const text of [
      "Circuit breaker: tripped by proof.",
      "Quarantined: compound-v3-usdc.",
      "The relay does not answer.",
    ]) {
      expect(html.indexOf(text), text).to.be.greaterThan(0).and.to.be.lessThan(figures);
    }
    const quiet = renderDocument({ build: null, view: calm, problem: null }, { ...LINKS, script: null });
    expect(quiet).not.to.contain('class="notice tone');
  });

  describe("pools of traders", () => {
    const rendered = (change: Parameters<typeof pageView>[0] = {}): string =>
      renderDocument({ build: null, view: pageView(change), problem: null }, { ...LINKS, script: null });
    /** Texts of the panel's cells, venue by venue. */
    function panel(html: string): Record<string, string[]> {
      const section = /aria-labelledby="pools">(.*?)<\/section>/s.exec(html)?.[1] ?? "";
      const rows = [...(/<tbody>(.*)<\/tbody>/s.exec(section)?.[1] ?? "").matchAll(/<tr>(.*?)<\/tr>/gs)];
      const texts = rows.map(([, row = ""]) =>
        [...row.matchAll(/<t[hd][^>]*>(.*?)<\/t[hd]>/gs)].map(([, cell = ""]) =>
          cell
            .replace(/<[^>]*>/g, " ")
            .replace(/\s+/g, " ")
            .trim(),
        ),
      );
      return Object.fromEntries(texts.map(([venue = "", ...cells]) => [venue, cells]));
    }
    const pools = (change: (pool: PoolPosition) => PoolPosition | null): Partial<PageView> => ({
      allocations: pageView().allocations.map((of) => (of.pool ? { ...of, pool: change(of.pool) } : of)),
    });

    it("shows whether the price is steady, both values, and where the price stands", () => {
      expect(panel(rendered())).to.deep.equal({
        "curve-3pool": [
          "steady",
          "60,000.00",
          "59,991.00 −0.015%",
          "28.7% of the pool is the asset virtual price 1.03451",
        ],
        "uniswap-v3-usdc-usdt": [
          "steady",
          "40,000.00",
          "39,998.00 −0.0050%",
          "0.99984 in 0.99900 … 1.00100 58% in the paired coin mean 0.99991, feeds 1.00002",
        ],
      });
    });

    it("draws the price where it is in its range, and at the bound that it is beyond", () => {
      const at = (change: Partial<RangeMarket>): string | undefined => {
        const html = rendered(
          pools((pool) =>
            pool.market.kind === "uniswap-v3" ? { ...pool, market: { ...pool.market, ...change } } : pool,
          ),
        );
        return /<rect class="kink" x="([\d.-]+)" width="1.5"/.exec(html.slice(html.indexOf('id="pools"')))?.[1];
      };
      expect([at({ spot: 0.9995 }), at({ spot: 0.9 }), at({ spot: 1.1 })]).to.deep.equal(["24.25", "-0.75", "99.25"]);
      const out = rendered(
        pools(({ market, ...pool }) => ({
          ...pool,
          market:
            market.kind === "uniswap-v3" && market.range !== null
              ? { ...market, spot: 1.002, range: { ...market.range, inRange: false, pairedShare: 0 } }
              : market,
        })),
      );
      expect(panel(out)["uniswap-v3-usdc-usdt"]?.[3]).to.contain("1.00200 out of 0.99900 … 1.00100 earns nothing");
    });

    it("warns before the figures that deposits are shut while a price is away from fair", () => {
      const away = (shutsDeposits: boolean): Partial<PageView> =>
        pools((pool) => (pool.market.kind === "uniswap-v3" ? { ...pool, steady: false, shutsDeposits } : pool));
      const html = rendered(away(true));
      const warning = html.indexOf("Price away from fair: uniswap-v3-usdc-usdt.");
      expect(warning).to.be.greaterThan(0).and.to.be.lessThan(html.indexOf('id="figures"'));
      expect(html).to.contain("The vault takes no deposits until it is back.");
      expect(panel(html)["uniswap-v3-usdc-usdt"]?.[0]).to.equal("away from fair no moves until it is back");
      expect(panel(html)["curve-3pool"]?.[0]).to.equal("steady");
      const small = rendered(away(false));
      expect(small).not.to.contain("Price away from fair");
      expect(panel(small)["uniswap-v3-usdc-usdt"]?.[0]).to.contain("away from fair");
    });

    it("says so of a pool that could not be read, of one without a position, and nothing where there is none", () => {
      expect(panel(rendered(pools(() => null)))).to.deep.equal({
        "curve-3pool": ["could not be read"],
        "uniswap-v3-usdc-usdt": ["could not be read"],
      });
      const empty = pools(({ market, ...pool }) => ({
        ...{ ...pool, fairValue: "0", exitValue: "0" },
        market: market.kind === "uniswap-v3" ? { ...market, oracle: null, range: null } : market,
      }));
      const html = rendered(empty);
      expect(panel(html)["uniswap-v3-usdc-usdt"]).to.deep.equal([
        ...["steady", "0.00", "0.00", "no position; price 0.99984 mean 0.99991, feeds silent"],
      ]);
      expect(html).not.to.contain("NaN");
      const lending = pageView().allocations.filter(({ pool }) => pool === undefined);
      expect(rendered({ allocations: lending })).not.to.contain('id="pools"');
    });
  });
});
