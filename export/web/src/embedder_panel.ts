/** Which embedder the page uses: the one beside it, or a file of the person's own. */
import { servedEmbedder } from "./assets.ts";
import type { FaceDetector } from "./detector.ts";
import { Embedder } from "./embedder.ts";
import { KerasfaceError } from "./errors.ts";
import { Gallery } from "./gallery.ts";
import { attempt, element, say, takeFiles, textElement } from "./page.ts";
import { FacePipeline } from "./pipeline.ts";
import { calibratedThreshold, type EmbedderSpec } from "./spec.ts";
import type { State } from "./state.ts";

/**
 * @param state what the page holds now; undefined until an embedder is loaded
 * @param onChange gets what the page holds from now on
 */
export async function embedderPanel(
  detector: FaceDetector,
  state: () => State | undefined,
  onChange: (state: State) => void,
): Promise<void> {
  function use(embedder: Embedder): void {
    const pipeline = new FacePipeline(embedder, detector);
    const held = state();
    const { gallery, faces } =
      held && held.gallery.fits(embedder.spec) ? held : { gallery: new Gallery(embedder.spec), faces: new Map() };
    if (held && gallery !== held.gallery && !mayForget(held.gallery)) {
      embedder.close();
      throw new KerasfaceError(`${held.pipeline.embedder.spec.name} stays, and with it everybody who is enrolled.`);
    }
    held?.pipeline.embedder.close();
    show(embedder.spec);
    onChange({ pipeline, gallery, faces });
    say(`${embedder.spec.name} is ready.`);
  }

  const input = element<HTMLInputElement>("embedder-file");
  input.addEventListener("change", () =>
    attempt(async () => {
      const files = takeFiles(input);
      const model = files.find(({ name }) => !name.endsWith(".json"));
      if (!model) {
        throw new KerasfaceError("Choose the .tflite or .onnx file too, together with its .json.");
      }
      say(`Opening ${model.name}…`);
      const content = new Uint8Array(await model.arrayBuffer());
      const sidecar = files.find(({ name }) => name.endsWith(".json"));
      use(await Embedder.open(content, model.name, await sidecar?.text()));
    }),
  );
  input.disabled = false;
  const served = await servedEmbedder();
  if (served) {
    use(await Embedder.open(served.content, served.name, served.sidecar));
  } else {
    say("Choose an embedder to begin.");
  }
}

function mayForget({ names }: Gallery): boolean {
  return !names.length || confirm(`Another embedder doesn't know who is enrolled: ${names.join(", ")}. Forget them?`);
}

function show(spec: EmbedderSpec): void {
  const facts = {
    Name: spec.name,
    Embedding: `${spec.embedding_size} numbers`,
    "Trained on": spec.training_data,
    Licence: spec.licence,
    Identity: spec.embedder_id,
  };
  const list = element<HTMLDListElement>("embedder-facts");
  list.replaceChildren(
    ...Object.entries(facts).flatMap(([name, value]) => [textElement("dt", name), textElement("dd", value)]),
  );
  list.hidden = false;
  const calibrated = calibratedThreshold(spec);
  const threshold = element<HTMLInputElement>("threshold");
  threshold.value = calibrated ? String(calibrated.cosine) : "";
  threshold.disabled = false;
  element("threshold-hint").textContent = calibrated
    ? `From the file: for a false accept rate of ${calibrated.far}, calibrated on ${calibrated.calibrated_on}.`
    : "This file carries none: choose one on your own pairs of photos.";
}
