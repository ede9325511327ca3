/** How an answer looks: boxes with names on a picture, and the same in words. */
import type { Match } from "./gallery.ts";
import { textElement } from "./page.ts";
import type { EmbeddedFace } from "./pipeline.ts";
import { threshold, type State } from "./state.ts";

export interface Answer {
  readonly face: EmbeddedFace;
  readonly match: Match;
}

/** Looks faces up. */
export function answersFor({ gallery }: State, faces: readonly EmbeddedFace[]): Answer[] {
  const limit = threshold();
  return faces.map((face) => ({ face, match: gallery.identify(face.embedding, limit) }));
}

export function nameOf({ match }: Answer): string {
  return match.name ?? "unknown";
}

/** In words, for those who can't see the boxes. */
export function sentence(answers: readonly Answer[]): string {
  return answers.length ? answers.map(nameOf).join(", ") : "no face found";
}

/** One line a face. */
export function answerList(answers: readonly Answer[]): HTMLElement {
  if (!answers.length) {
    return textElement("p", "no face found");
  }
  const list = document.createElement("ol");
  for (const answer of answers) {
    const item = document.createElement("li");
    const name = textElement("b", nameOf(answer));
    name.className = answer.match.name === undefined ? "unknown" : "known";
    item.append(name);
    if (answer.match.nearest !== undefined) {
      item.append(` · cosine ${answer.match.score.toFixed(4)}`);
      if (answer.match.name === undefined) {
        item.append(` to ${answer.match.nearest}, the nearest`);
      }
    }
    list.append(item);
  }
  return list;
}

/** Boxes and names; lines are as thick as the picture is large. */
export function drawAnswers(context: CanvasRenderingContext2D, answers: readonly Answer[]): void {
  const { width, height } = context.canvas;
  const line = Math.max(2, Math.max(width, height) / 250);
  const size = 7 * line;
  context.font = `600 ${size}px system-ui, sans-serif`;
  context.lineWidth = line;
  context.textBaseline = "middle";
  for (const answer of answers) {
    const { low, high } = answer.face.face;
    const color = answer.match.name === undefined ? "#3f4a48" : "#0b5c55";
    context.strokeStyle = color;
    context.strokeRect(low[0], low[1], high[0] - low[0], high[1] - low[1]);
    const text = nameOf(answer);
    const wide = context.measureText(text).width + size;
    const x = Math.max(0, Math.min(low[0] - line / 2, width - wide));
    const y = Math.max(0, Math.min(high[1], height - 1.6 * size));
    context.fillStyle = color;
    context.fillRect(x, y, wide, 1.6 * size);
    context.fillStyle = "white";
    context.fillText(text, x + size / 2, y + 0.8 * size);
  }
}
