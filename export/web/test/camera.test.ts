/** The camera around streams and looks that the tests end when they want to. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { Camera } from "../src/camera.ts";

const problem = { textContent: "", hidden: true };
let streams: ReturnType<typeof stream>[];
let looks: { resolve(seen: string | undefined): void; reject(error: Error): void }[];
let shown: (string | undefined)[];
let losses: number;

function stream() {
  const ended: (() => void)[] = [];
  const track = {
    isLive: true,
    stop: () => (track.isLive = false),
    addEventListener: (_: "ended", listener: () => void) => ended.push(listener),
    unplug: () => ended.forEach((listener) => listener()),
  };
  return { track, getTracks: () => [track] };
}

function cameraWith(play: () => Promise<void> = async () => undefined): Camera<string> {
  const look = () => new Promise<string | undefined>((resolve, reject) => looks.push({ resolve, reject }));
  const video = { srcObject: null, play } as unknown as HTMLVideoElement;
  return new Camera(
    video,
    look,
    (seen) => shown.push(seen),
    () => losses++,
  );
}

const settle = () => new Promise((resolve) => setTimeout(resolve));

beforeEach(() => {
  [streams, looks, shown, losses] = [[], [], [], 0];
  problem.textContent = "";
  const getUserMedia = async () => {
    await settle();
    streams.push(stream());
    return streams.at(-1);
  };
  vi.stubGlobal("navigator", { mediaDevices: { getUserMedia } });
  vi.stubGlobal("requestAnimationFrame", (next: () => void) => setTimeout(next));
  vi.stubGlobal("document", { getElementById: () => problem });
});
afterEach(() => vi.unstubAllGlobals());

test("a look that fails takes back what the one before saw", async () => {
  const camera = cameraWith();
  await camera.start();
  looks[0].resolve("Ann");
  await vi.waitUntil(() => looks.length === 2);
  expect(shown.at(-1)).toBe("Ann");
  looks[1].reject(new Error("no threshold"));
  await vi.waitUntil(() => looks.length === 3);
  expect(shown.at(-1)).toBeUndefined();
  expect(problem.textContent).toBe("no threshold");
  camera.stop();
});

test("nothing is shown of a session that has ended", async () => {
  const camera = cameraWith();
  await camera.start();
  looks[0].resolve("Ann");
  await vi.waitUntil(() => looks.length === 2);
  camera.stop();
  expect(shown.at(-1)).toBeUndefined();
  shown.length = 0;
  await camera.start();
  expect(shown).toEqual([undefined]);
  looks[1].resolve("Ann, of the first session");
  await settle();
  expect(shown).toEqual([undefined]);
  camera.stop();
});

test("two starts leave no stream that stop doesn't end", async () => {
  const camera = cameraWith();
  await Promise.all([camera.start(), camera.start()]);
  expect(streams.map(({ track }) => track.isLive)).toEqual([true, false]);
  camera.stop();
  expect(streams.map(({ track }) => track.isLive)).toEqual([false, false]);
});

test("a picture that doesn't play leaves the camera off", async () => {
  const camera = cameraWith(() => Promise.reject(new Error("no codec")));
  await expect(camera.start()).rejects.toThrow("doesn't play: no codec");
  expect([camera.isOn, streams[0].track.isLive, looks.length]).toEqual([false, false, 0]);
});

test("a camera that is unplugged is off, and so it says", async () => {
  const camera = cameraWith();
  await camera.start();
  camera.stop();
  await camera.start();
  streams[0].track.unplug();
  expect([camera.isOn, losses]).toEqual([true, 0]);
  streams[1].track.unplug();
  expect([camera.isOn, losses, shown.at(-1)]).toEqual([false, 1, undefined]);
  expect(problem.textContent).toContain("unplugged");
});
