// The web page in a real browser, with the client bundle as Vite builds it, against the real server.
import { expect } from "chai";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import type { PageView } from "../../keeper/app/view";
import { WorldFailure } from "../../keeper/config/failure";
import { startServer, type RunningServer } from "../../keeper/serve/server";
import type { LiveMessage } from "../../keeper/serve/wire";
import { INCLUDED, pageView, pushSource, REASON_INCLUDED, type PushSource } from "../keeper/serve/fixture";
import { skip } from "../skip";
import { findChromium, NO_CHROMIUM, openBrowser } from "./browser";

/** Below this the words of the page are hard to read (WCAG 2.2, 1.4.3). */
const LEAST_CONTRAST = 4.5;
const LARGE = { fairValue: "48765432109876543", exitValue: "48765432109876543" };
const LIVE = { maxClients: 8, heartbeatMs: 200 };

describe("the page in a browser", function () {
  this.timeout(60_000);
  let browser: Browser;
  let context: BrowserContext;
  let folder: string;
  let source: PushSource;
  let server: RunningServer;
  /** What the browser complained about. */
  let complaints: string[];
  /** Hosts that it asked. */
  let asked: Set<string>;

  before(async function () {
    const executable = findChromium();
    if (executable === null) {
      skip(this, NO_CHROMIUM);
    }
    folder = mkdtempSync(join(tmpdir(), "tiller-page-"));
    // Vite is an ES module; the name in a variable keeps TypeScript from turning the import into a require.
    const { build } = await import("vite");
    await build({
      configFile: join("keeper", "serve", "dashboard", "vite.config.mts"),
      logLevel: "error",
      build: { outDir: folder },
    });
    browser = await openBrowser(executable);
  });

  after(async () => {
    await browser?.close();
    if (folder !== undefined) {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  afterEach(async () => {
    await context?.close();
    await server?.close();
  });

  async function serve(port = 0): Promise<void> {
    server = await startServer({
      host: "127.0.0.1",
      port,
      source,
      sink: { emit: () => undefined },
      bundleFolder: folder,
      live: LIVE,
    });
  }

  async function open(
    options: { view?: PageView; width?: number; dark?: boolean; javaScriptEnabled?: boolean } = {},
  ): Promise<Page> {
    source = pushSource(options.view ?? pageView());
    await serve();
    return visit(options);
  }

  async function visit(options: { width?: number; dark?: boolean; javaScriptEnabled?: boolean } = {}): Promise<Page> {
    complaints = [];
    asked = new Set();
    context = await browser.newContext({
      viewport: { width: options.width ?? 1280, height: 900 },
      colorScheme: options.dark === true ? "dark" : "light",
      javaScriptEnabled: options.javaScriptEnabled ?? true,
    });
    const page = await context.newPage();
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") {
        complaints.push(message.text());
      }
    });
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("request", (request) => asked.add(new URL(request.url()).host));
    page.on("websocket", (socket) => asked.add(new URL(socket.url()).host));
    await page.goto(server.url);
    return page;
  }

  const live = (page: Page): Promise<void> => page.locator("header").getByText("Live", { exact: true }).waitFor();

  it("takes over the server's page without a complaint, and asks no other host", async () => {
    const page = await open();
    await live(page);
    await page.getByText(REASON_INCLUDED).waitFor();
    await page.locator(".decision.rebalance summary").first().click();
    await page.locator(".bundles").getByText("included").waitFor();
    expect(complaints).to.deep.equal([]);
    expect([...asked]).to.deep.equal([new URL(server.url).host]);
  });

  it("shows what the source pushes without a reload", async () => {
    const page = await open();
    await live(page);
    await page.evaluate("window.mark = 1");
    source.push(
      pageView({
        block: 2_432,
        sharePrice: "1.000987654321000000",
        totalAssets: "2000000000000",
        decisions: [{ ...INCLUDED, state: "final" }],
        keeper: { ...pageView().keeper, headBlock: 2_432 },
      }),
    );
    await page.getByText("1.00098765", { exact: true }).waitFor();
    await page.getByText("2,000,000.00", { exact: true }).waitFor();
    await page.locator(".decision .chip", { hasText: "final" }).waitFor();
    expect(await page.evaluate("window.mark")).to.equal(1);
    expect(complaints).to.deep.equal([]);
  });

  it("says that the stream is down, keeps the figures, and recovers by itself", async () => {
    const page = await open();
    await live(page);
    const { port } = new URL(server.url);
    await server.close();
    await page.getByText("The live stream is down.").waitFor();
    await page.getByText("These are the figures of block 2,431.").waitFor();
    await page.locator("header").getByText("Disconnected").waitFor();
    expect(await page.getByText("1.00012345", { exact: true }).isVisible()).to.equal(true);

    source.push(pageView({ sharePrice: "1.000200000000000000" }));
    await serve(Number(port));
    await page.getByText("1.00020000", { exact: true }).waitFor();
    await live(page);
    expect(await page.getByText("The live stream is down.").count()).to.equal(0);
  });

  it("tries again at once when asked to", async () => {
    const page = await open();
    await live(page);
    const { port } = new URL(server.url);
    await server.close();
    // Let the pauses grow, so that what comes next is the button's doing.
    await page.getByText("Trying again in 4 s.").waitFor({ timeout: 30_000 });
    await serve(Number(port));
    await page.getByRole("button", { name: "Try now" }).click();
    await page.locator("header").getByText("Live", { exact: true }).waitFor({ timeout: 2_000 });
  });

  it("notices a connection that has fallen silent", async () => {
    // A stream that greets and then says nothing, as behind a proxy that died.
    const page = await greeted((build) => ({ type: "hello", heartbeatMs: 100, build }));
    await page.getByText("The live stream is down.").waitFor();
  });

  it("fills in by itself when the first block is read after the page was opened", async () => {
    source = pushSource(null);
    source.fail(new WorldFailure("VIEW_NONE", "the vault has not been read yet", { remedy: "Wait for a block." }));
    await serve();
    const page = await visit();
    await page.getByRole("heading", { name: "Nothing to show yet" }).waitFor();
    await page.getByText("The vault has not been read yet.").waitFor();
    await page.locator("header").getByText("Waiting for the first block").waitFor();
    source.push(pageView());
    await page.getByText("1.00012345", { exact: true }).waitFor();
    // The page itself was answered with 503, which Chromium notes; nothing else may go wrong.
    expect(complaints.filter((text) => !text.includes("503"))).to.deep.equal([]);
  });

  it("takes the page of the new build when the server has one", async () => {
    // The first page hears of another build; the second greeting can only be that of the page loaded afresh.
    let greetings = 0;
    await new Promise<void>((reloaded, failed) => {
      greeted((build) => {
        greetings += 1;
        if (greetings === 2) {
          reloaded();
        }
        return { type: "hello", heartbeatMs: 60_000, build: greetings === 1 ? "/assets/client-other.js" : build };
      }).catch(failed);
    });
  });

  /** A page whose stream says one thing and no more. */
  async function greeted(greeting: (build: string | null) => LiveMessage): Promise<Page> {
    source = pushSource();
    await serve();
    const html = await (await fetch(server.url)).text();
    const build = /src="(\/assets\/client-[^"]+\.js)"/.exec(html)?.[1] ?? null;
    context = await browser.newContext();
    const page = await context.newPage();
    await page.routeWebSocket(/\/api\/live$/, (socket) => socket.send(JSON.stringify(greeting(build))));
    await page.goto(server.url, { waitUntil: "commit" });
    return page;
  }

  it("runs nothing that a decision's text says", async () => {
    const attack = '</script><img src=x onerror="window.hit=1"><script>window.hit=1</script>';
    const page = await open({
      view: pageView({
        decisions: [{ ...INCLUDED, reason: attack, stateReason: attack }],
        keeper: { ...pageView().keeper, trouble: attack },
      }),
    });
    await live(page);
    expect(await page.locator(".decision .reason").textContent()).to.contain(attack);
    expect(await page.locator("main img").count()).to.equal(0);
    expect(await page.evaluate("window.hit")).to.equal(undefined);
  });

  it("is complete without JavaScript", async () => {
    const page = await open({ javaScriptEnabled: false });
    await page.getByText("1.00012345", { exact: true }).waitFor();
    await page.getByText(REASON_INCLUDED).waitFor();
    await page.locator("header").getByText("As of block 2,431").waitFor();
    expect(await page.locator(".chart polyline").count()).to.equal(5);
  });

  it("has its landmarks, headings in order, and names for what can be used", async () => {
    const page = await open();
    await live(page);
    for (const role of ["banner", "main", "contentinfo", "navigation"] as const) {
      expect(await page.getByRole(role).count(), role).to.equal(1);
    }
    for (const name of [
      ...["The vault now", "Where the money is", "Keeper"],
      ...["Positions in pools of traders", "Rates over time", "Decisions"],
    ]) {
      expect(await page.getByRole("region", { name }).count(), name).to.equal(1);
    }
    const levels = await page.locator("h1, h2, h3").evaluateAll((all) => all.map(({ tagName }) => tagName));
    expect(levels).to.deep.equal(["H1", "H2", "H2", "H2", "H2", "H2"]);
    const heads = await page.getByRole("table").first().getByRole("columnheader").allTextContents();
    expect(heads).to.deep.equal(["Venue", "Assets", "Share", "Cap", "Rate now", "Forecast", "Utilisation"]);
    const pools = page.getByRole("table", { name: /^Pools of traders/ });
    expect(await pools.getByRole("columnheader").allTextContents()).to.deep.equal([
      ...["Venue", "Price", "Fair value", "If it left now", "Market"],
    ]);
    expect(await page.getByRole("rowheader", { name: /aave-v3-usdc/ }).count()).to.equal(2);
    expect(await page.locator("html").getAttribute("lang")).to.equal("en");
  });

  it("is used with the keyboard: skip link, chart, filter, details", async () => {
    const page = await open();
    await live(page);
    await page.keyboard.press("Tab");
    expect(await focused(page)).to.equal("Skip to the figures");
    await page.keyboard.press("Enter");
    expect(await page.evaluate("document.activeElement.id")).to.equal("main");

    const chart = page.getByRole("slider");
    await chart.focus();
    await page.keyboard.press("Home");
    expect(await chart.getAttribute("aria-valuetext")).to.match(/^21 Nov 2026, 00:04:00 UTC: aave-v3-usdc \d\.\d\d%/);
    await page.keyboard.press("ArrowRight");
    expect(await chart.getAttribute("aria-valuetext")).to.match(/^21 Nov 2026, 00:08:00 UTC/);
    await page.keyboard.press("Escape");
    expect(await chart.getAttribute("aria-valuetext")).to.match(/^21 Nov 2026, 12:00:00 UTC/);

    const filter = page.getByRole("button", { name: "Rebalances" });
    await filter.focus();
    await page.keyboard.press("Enter");
    expect(await filter.getAttribute("aria-pressed")).to.equal("true");
    expect(await page.locator(".decision.hold").count()).to.equal(0);
    expect(await page.locator(".decision.rebalance").count()).to.equal(3);

    await page.locator(".decision summary").first().focus();
    await page.keyboard.press("Enter");
    await page.getByRole("table", { name: "Bundles of this decision" }).waitFor();
  });

  it("shows the values of the moment under the pointer", async () => {
    const page = await open();
    await live(page);
    const plot = page.getByRole("slider");
    const box = await plot.boundingBox();
    await plot.hover({ position: { x: 0, y: 100 } });
    await page.getByText("21 Nov 2026, 00:04:00 UTC").waitFor();
    const first = pageView().rates[0]!.points[0]!.apr;
    expect(await page.locator(".legend tbody tr").first().textContent()).to.contain(`${(first * 100).toFixed(2)}%`);
    await plot.hover({ position: { x: (box?.width ?? 0) / 2, y: 100 } });
    await page.getByText(/21 Nov 2026, 0[56]:\d\d:00 UTC/).waitFor();
    await page.getByText("Where the money is").hover();
    await page.getByText("Last 11 h").waitFor();
  });

  for (const width of [360, 700, 880, 1_180, 1_280, 2_400]) {
    it(`fits ${width} px without scrolling sideways, whatever is open`, async () => {
      const view = pageView({
        totalAssets: "150765432109876543",
        allocations: pageView().allocations.map((allocation, i) => ({
          ...allocation,
          assets: "48765432109876543",
          cap: "58765432109876543",
          quarantined: i === 1,
          ...(allocation.pool ? { pool: { ...allocation.pool, ...LARGE, steady: false, shutsDeposits: true } } : {}),
        })),
        decisions: [{ ...INCLUDED, reason: `moving ${"9".repeat(90)} to ${"a-very-long-venue-".repeat(9)}` }],
        keeper: { ...pageView().keeper, trouble: "x".repeat(200) },
      });
      const page = await open({ width, view });
      await live(page);
      await page.locator(".decision summary").first().click();
      await page.locator(".bundles").waitFor();
      const overflow = await page.evaluate(() => {
        const { scrollWidth, clientWidth } = document.documentElement;
        const out = [...document.querySelectorAll("main *")].filter((element) => {
          const panel = element.closest(".panel, .notice");
          const right = element.getBoundingClientRect().right;
          return (
            panel !== null &&
            right > panel.getBoundingClientRect().right + 0.5 &&
            element.closest("thead, svg, .hidden") === null
          );
        });
        return { page: scrollWidth - clientWidth, out: out.map((element) => element.outerHTML.slice(0, 80)) };
      });
      expect(overflow).to.deep.equal({ page: 0, out: [] });
    });
  }

  for (const dark of [false, true]) {
    it(`has readable contrast in ${dark ? "dark" : "light"}`, async () => {
      const page = await open({
        dark,
        view: pageView({
          breaker: "tripped",
          keeper: { ...pageView().keeper, trouble: "the relay does not answer" },
          allocations: pageView().allocations.map((allocation, i) => ({
            ...{ ...allocation, quarantined: i === 1 },
            // One steady, one away from fair.
            ...(allocation.pool ? { pool: { ...allocation.pool, steady: i === 3, shutsDeposits: i !== 3 } } : {}),
          })),
        }),
      });
      await live(page);
      // What the TypeScript runner wraps around named functions; the page has none.
      await page.evaluate("globalThis.__name = (value) => value");
      expect(await page.evaluate(weakTexts, LEAST_CONTRAST)).to.deep.equal([]);
    });
  }
});

async function focused(page: Page): Promise<string> {
  return page.evaluate(() => document.activeElement?.textContent ?? "");
}

/** Runs in the page: the texts whose colour stands out too little from the nearest ground behind them. */
function weakTexts(least: number): string[] {
  const parse = (colour: string): number[] => (colour.match(/[\d.]+/g) ?? []).map(Number);
  const luminance = (colour: number[]): number => {
    const [r = 0, g = 0, b = 0] = colour.slice(0, 3).map((channel) => {
      const value = channel / 255;
      return value <= 0.040_45 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const groundOf = (start: Element): number[] => {
    for (let element: Element | null = start; element !== null; element = element.parentElement) {
      const colour = parse(getComputedStyle(element).backgroundColor);
      if (colour.length === 3 || (colour[3] ?? 0) > 0) {
        return colour;
      }
    }
    return [255, 255, 255];
  };
  const weak: string[] = [];
  for (const element of document.querySelectorAll("#page *")) {
    const own = [...element.childNodes].some(
      ({ nodeType, textContent }) => nodeType === 3 && textContent?.trim() !== "",
    );
    if (!own || element.closest(".hidden") !== null || element.tagName === "title") {
      continue;
    }
    const style = getComputedStyle(element);
    const text = parse(element instanceof SVGElement ? style.fill : style.color);
    const [high = 0, low = 0] = [luminance(text), luminance(groundOf(element))].sort((a, b) => b - a);
    const contrast = (high + 0.05) / (low + 0.05);
    if (contrast < least) {
      weak.push(`${contrast.toFixed(2)} ${element.textContent?.slice(0, 40)}`);
    }
  }
  return weak;
}
