/** What the page's own server gives beside it: the detector's two models, and an embedder where one was put there. */
import { BlazeFace } from "./blazeface.ts";
import { FaceDetector } from "./detector.ts";
import { sha256 } from "./digest.ts";
import { KerasfaceError } from "./errors.ts";
import { FaceMesh } from "./landmarks.ts";
import { openSession, type Session } from "./session.ts";

const FOLDER = new URL("models/", document.baseURI);

/** As kerasface/edge/assets.py names and knows them. */
export const ASSETS = {
  "face_detection_short_range.tflite": "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8",
  "face_landmark.tflite": "1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814",
} as const;

export async function loadDetector(): Promise<FaceDetector> {
  const [boxes, mesh] = await Promise.all([open("face_detection_short_range.tflite"), open("face_landmark.tflite")]);
  return new FaceDetector(new BlazeFace(boxes), new FaceMesh(mesh));
}

/** The embedder that `make web MODEL=…` put beside the page, and its sidecar. */
export async function servedEmbedder(): Promise<{ content: Uint8Array; name: string; sidecar: string } | undefined> {
  const index = JSON.parse(new TextDecoder().decode(await read("index.json"))) as { embedder: string | null };
  if (index.embedder === null) {
    return undefined;
  }
  const [content, sidecar] = await Promise.all([read(index.embedder), read(`${index.embedder}.json`)]);
  return { content, name: index.embedder, sidecar: new TextDecoder().decode(sidecar) };
}

async function open(name: keyof typeof ASSETS): Promise<Session> {
  const content = await read(name);
  if ((await sha256(content)) !== ASSETS[name]) {
    throw new KerasfaceError(`models/${name} is damaged or another file: build the page again with make web.`);
  }
  return openSession(content, name);
}

async function read(name: string): Promise<Uint8Array> {
  const response = await fetch(new URL(name, FOLDER));
  if (!response.ok) {
    throw new KerasfaceError(`models/${name} is not beside the page: build it with make web.`);
  }
  return new Uint8Array(await response.arrayBuffer());
}
