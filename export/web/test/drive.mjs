/**
 * Uses the built page as a person would, in headless Chromium, and tells what it answered.
 *
 *     node test/drive.mjs DIST CHROMIUM [CAMERA.mjpeg] < steps.json > answers.json
 *
 * A step is {"do": what, …}; its answer stands at its place. All requests that the browser made are told too.
 */
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { text } from "node:stream/consumers";
import { chromium } from "playwright-core";
import { preview } from "vite";

const [dist, executablePath, camera] = process.argv.slice(2);
const steps = JSON.parse(await text(process.stdin));

const server = await preview({ build: { outDir: dist }, preview: { port: 0, open: false }, logLevel: "warn" });
const origin = new URL(server.resolvedUrls.local[0]).origin;

// Another origin, which nothing may reach.
const visits = [];
const elsewhere = createServer((request, response) => {
  visits.push(request.url);
  response.setHeader("Access-Control-Allow-Origin", "*");
  response.end("");
});
await new Promise((resolve) => elsewhere.listen(0, "127.0.0.1", resolve));
const foreign = `http://127.0.0.1:${elsewhere.address().port}`;

const browser = await chromium.launch({
  executablePath,
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    ...(camera ? [`--use-file-for-fake-video-capture=${camera}`] : []),
  ],
});

async function open(options = {}) {
  const context = await browser.newContext({ permissions: ["camera"], ...options });
  context.setDefaultTimeout(60_000);
  const page = await context.newPage();
  const [requests, troubles] = [[], []];
  context.on("request", (request) => requests.push([request.method(), request.url()]));
  page.on("pageerror", (error) => troubles.push(String(error)));
  page.on("console", (message) => message.type() === "error" && troubles.push(message.text()));
  await page.goto(origin);
  return { page, requests, troubles };
}

/** Waits until the page says that it is done, or that it can't be. */
async function settled(page, pattern) {
  const [status, problem] = [page.locator("#status"), page.locator("#problem")];
  await Promise.race([status.filter({ hasText: pattern }).waitFor(), problem.filter({ hasText: /./ }).waitFor()]);
  return { status: await status.textContent(), problem: await problem.textContent() };
}

async function fillPerson(page, name, agreed) {
  await page.locator("#name").fill(name);
  await page.locator("#consent").setChecked(agreed);
}

const person = (item) => item.locator("div").evaluate((told) => [...told.children].map((child) => child.textContent));

/** What each step does; `page` is the one opened at the start. */
const actions = {
  ready: (page, { pattern }) => settled(page, new RegExp(pattern)),
  async load(page, { files, agreed = false }) {
    const asked = [];
    const answer = (dialog) => asked.push(dialog.message()) && (agreed ? dialog.accept() : dialog.dismiss());
    page.on("dialog", answer);
    await page.locator("#embedder-file:enabled").setInputFiles(files);
    const told = await settled(page, / is ready\./);
    page.off("dialog", answer);
    return { ...told, asked };
  },
  async facts(page) {
    const pairs = await page.locator("#embedder-facts dt, #embedder-facts dd").allTextContents();
    const hint = await page.locator("#threshold-hint").textContent();
    return { pairs, threshold: await page.locator("#threshold").inputValue(), hint };
  },
  threshold: (page, { value }) => page.locator("#threshold").fill(value),
  async enroll(page, { name, photos, agreed = true }) {
    await fillPerson(page, name, agreed);
    await page.locator("#enroll-photos").setInputFiles(photos);
    await page.getByRole("button", { name: "Enroll photos" }).click();
    if (!agreed) {
      return { refused: await page.locator("#consent").evaluate((box) => box.matches(":invalid")) };
    }
    return settled(page, / enrolled\.$/);
  },
  async people(page) {
    return Promise.all((await page.locator("#people li").all()).map(person));
  },
  async remove(page, { name }) {
    await page.getByRole("button", { name: `Remove ${name}`, exact: true }).click();
  },
  async save(page, { path }) {
    const download = page.waitForEvent("download");
    await page.locator("#save").click();
    await (await download).saveAs(path);
  },
  async open(page, { path }) {
    await page.locator("#gallery-file").setInputFiles(path);
    return settled(page, / holds /);
  },
  async identify(page, { photos }) {
    await page.locator("#photos").setInputFiles(photos);
    const told = await settled(page, / looked at\.$/);
    const figures = await page.locator("#answers figure").all();
    const answers = figures.map(async (figure) => [
      await figure.locator("small").textContent(),
      await figure.locator("li b").allTextContents(),
    ]);
    const canvases = await page.locator("#answers canvas").all();
    const sizes = canvases.map((canvas) => canvas.evaluate(({ width, height }) => [width, height]));
    return { ...told, answers: Object.fromEntries(await Promise.all(answers)), sizes: await Promise.all(sizes) };
  },
  async camera(page, { name, expected }) {
    await page.getByRole("button", { name: "Start the camera" }).click();
    await page.locator("#live").filter({ hasText: "unknown" }).waitFor();
    await fillPerson(page, name, true);
    await page.getByRole("button", { name: "Enroll from the camera" }).click();
    const told = await settled(page, / enrolled\.$/);
    await page.locator("#live").filter({ hasText: expected }).waitFor();
    const live = await page.locator("#live").textContent();
    await page.getByRole("button", { name: "Stop the camera" }).click();
    await page.locator("#stage").waitFor({ state: "hidden" });
    const isOff = await page.locator("#video").evaluate((video) => video.srcObject === null);
    return { ...told, live, isOff };
  },
  /** Starts the camera, and waits for what it says of who is before it. */
  async watch(page, { expected }) {
    await page.getByRole("button", { name: "Start the camera" }).click();
    await page.locator("#live").filter({ hasText: expected }).waitFor();
    return page.evaluate(shown, []);
  },
  async unwatch(page) {
    await page.getByRole("button", { name: "Stop the camera" }).click();
    await page.locator("#stage").waitFor({ state: "hidden" });
    return page.evaluate(shown, []);
  },
  /** What stands on the page after the clicks of one instant and, if given, once it complains or says something. */
  async shown(page, { clicks = [], problem, live }) {
    const told = await page.evaluate(shown, clicks);
    if (problem === undefined && live === undefined) {
      return told;
    }
    const [id, text] = problem === undefined ? ["#live", live] : ["#problem", problem];
    await page.locator(id).filter({ hasText: text }).waitFor();
    return page.evaluate(shown, []);
  },
  /** From now on the streams that the page is given are kept; a picture can be one that doesn't play. */
  async spy(page) {
    await page.evaluate(() => {
      const { mediaDevices } = navigator;
      const request = mediaDevices.getUserMedia.bind(mediaDevices);
      globalThis.streams = [];
      mediaDevices.getUserMedia = async (wishes) => {
        const stream = await request(wishes);
        globalThis.streams.push(stream);
        return stream;
      };
    });
  },
  async spoil(page, { reason }) {
    await page.locator("#video").evaluate((video, said) => {
      video.play = () => Promise.reject(new Error(said));
    }, reason);
  },
  async audit(page) {
    const source = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
    await page.evaluate(await readFile(source, "utf8"));
    const { violations, passes } = await page.evaluate(() => globalThis.axe.run());
    return {
      violations: violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]),
      passes: passes.length,
    };
  },
  async screenshot(page, { path, width, height, dark = false }) {
    await page.emulateMedia({ colorScheme: dark ? "dark" : "light" });
    await page.setViewportSize({ width, height });
    await page.screenshot({ path, fullPage: true });
    return page.evaluate(() => document.documentElement.scrollWidth);
  },
  /** Tries every way out, in a page with its policy and in one without. */
  async escape() {
    const told = {};
    for (const [policy, bypassCSP] of [
      ["with", false],
      ["without", true],
    ]) {
      const { page } = await open({ bypassCSP });
      const before = visits.length;
      const violations = await page.evaluate(tryToLeave, foreign);
      await page.waitForTimeout(500);
      told[policy] = { visits: visits.slice(before).sort(), violations };
      await page.context().close();
    }
    return told;
  },
};

/** Runs in the page: clicks, and tells what stands there before anything else can happen. */
function shown(clicks) {
  clicks.forEach((selector) => document.querySelector(selector).click());
  const overlay = document.querySelector("#overlay");
  const { width, height } = overlay;
  const isPainted =
    width * height > 0 &&
    overlay
      .getContext("2d")
      .getImageData(0, 0, width, height)
      .data.some((value) => value > 0);
  return {
    live: document.querySelector("#live").textContent,
    isPainted,
    figures: document.querySelectorAll("#answers figure").length,
    button: document.querySelector("#camera").textContent,
    focused: document.activeElement.id,
    streams: (globalThis.streams ?? []).map((stream) => stream.getTracks().map(({ readyState }) => readyState)),
  };
}

/** Runs in the page. */
async function tryToLeave(foreign) {
  const violations = new Set();
  document.addEventListener("securitypolicyviolation", (event) => violations.add(event.effectiveDirective));
  const append = (tag, attributes) => document.body.append(Object.assign(document.createElement(tag), attributes));
  const ways = {
    fetch: (url) => fetch(url, { mode: "no-cors" }),
    beacon: (url) => navigator.sendBeacon(url, "x"),
    websocket: (url) => new WebSocket(url.replace("http", "ws")),
    eventsource: (url) => new EventSource(url),
    image: (url) => (new Image().src = url),
    script: (url) => append("script", { src: url }),
    style: (url) => append("link", { rel: "stylesheet", href: url }),
    frame: (url) => append("iframe", { src: url }),
    video: (url) => append("video", { src: url }),
    module: (url) => import(url),
    form(url) {
      append("iframe", { name: "sink" });
      append("form", { action: url, target: "sink", method: "post" });
      document.body.lastElementChild.submit();
    },
  };
  for (const [name, way] of Object.entries(ways)) {
    try {
      await Promise.race([way(`${foreign}/${name}`), new Promise((resolve) => setTimeout(resolve, 200))]);
    } catch {
      // Refused at once.
    }
  }
  await new Promise((resolve) => setTimeout(resolve, 500));
  return [...violations].sort();
}

try {
  const { page, requests, troubles } = await open();
  const answers = [];
  for (const step of steps) {
    answers.push((await actions[step.do](page, step)) ?? null);
  }
  process.stdout.write(JSON.stringify({ origin, answers, requests, visits, troubles }));
} finally {
  await browser.close();
  elsewhere.closeAllConnections();
  elsewhere.close();
  await server.close();
}
