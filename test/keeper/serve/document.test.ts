import { expect } from "chai";
import { embeddedJson, renderDocument } from "../../../keeper/serve/document";
import type { Boot } from "../../../keeper/serve/wire";
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
});
