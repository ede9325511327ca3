/** Finding faces in a photo: kerasface/edge/detection/detector.py written once more; the reasons for its numbers stand there. */
import { sameFace, weightedNms, type BlazeFace, type Candidate, type View } from "./blazeface.ts";
import { transformPoint, type Affine, type Picture, type Point } from "./geometry.ts";
import { fivePoints, type FaceMesh } from "./landmarks.ts";

const MIN_SCORE = 0.5;
const MIN_PRESENCE = 0.5;
const PROPOSAL = 0.4;
const SMALL = 0.2;
const CLOSE = 2;
const TILE = 0.5;
const TILE_STEP = 0.5;
const WIDE = 1.5;
const CERTAIN = 0.85;
const QUARTER_TURNS = [0, 1, 2, 3] as const;

/** A face found in a photo, in its pixels; its box is cut at the photo's border. */
export interface Face {
  readonly low: Point;
  readonly high: Point;
  readonly score: number;
  /** Image-left eye, image-right eye, nose, image-left mouth corner, image-right mouth corner. */
  readonly points: readonly Point[];
}

type Look = (image: Picture) => Promise<Face[]>;

export class FaceDetector {
  readonly #blazeFace: BlazeFace;
  readonly #mesh: FaceMesh;

  constructor(blazeFace: BlazeFace, mesh: FaceMesh) {
    this.#blazeFace = blazeFace;
    this.#mesh = mesh;
  }

  /** Finds the faces that a photo is about, largest first; a photo that shows none for certain is looked at in its
   * quarter turns and at other scales. */
  async detect(image: Picture): Promise<Face[]> {
    let { faces, upright } = await bestTurn(this.#whole, image);
    if (!upright.length && best(faces) < CERTAIN) {
      for (const turns of QUARTER_TURNS) {
        faces = better(faces, await turned(this.#otherScales, image, turns));
      }
    }
    return largestFirst(faces);
  }

  /** Finds every face, also small ones beside large ones. */
  async detectAll(image: Picture): Promise<Face[]> {
    return largestFirst((await bestTurn(this.#everyScale, image)).faces);
  }

  /** Finds the faces of one frame of a video, which are upright and not far: one look, as fast as it can be. */
  async detectUpright(image: Picture): Promise<Face[]> {
    return largestFirst(await this.#whole(image));
  }

  #whole: Look = async (image) => this.#faces(image, await this.#firstLook(image));

  #otherScales: Look = async (image) => this.#faces(image, await this.#secondLook(image));

  #everyScale: Look = async (image) => {
    const found = await this.#firstLook(image);
    const more = await this.#secondLook(image);
    const isNew = (candidate: Candidate) => !found.some((known) => sameFace(candidate, known));
    return this.#faces(image, [...found, ...more.filter(isNew)]);
  };

  async #firstLook(image: Picture): Promise<Candidate[]> {
    const { whole } = views(image);
    const found = await this.#boxes(image, [whole], MIN_SCORE);
    const isSmall = ({ points: [low, high] }: Candidate) => longerSide(low, high) < SMALL * whole.side;
    const small = found.filter(isSmall);
    if (!small.length) {
      return found;
    }
    const near = await this.#boxes(image, small.map(closeView), MIN_SCORE);
    return weightedNms([...found.filter((candidate) => !isSmall(candidate)), ...near]);
  }

  async #secondLook(image: Picture): Promise<Candidate[]> {
    const { whole, others } = views(image);
    const proposals = await this.#boxes(image, [whole, ...others], PROPOSAL * MIN_SCORE);
    return this.#boxes(image, proposals.map(closeView), MIN_SCORE);
  }

  async #boxes(image: Picture, squares: readonly View[], minScore: number): Promise<Candidate[]> {
    const good: Candidate[] = [];
    for (const square of squares) {
      const seen = await this.#blazeFace.candidates(image, square);
      good.push(
        ...seen.filter(({ score, points: [low, high] }) => score >= minScore && high[0] > low[0] && high[1] > low[1]),
      );
    }
    return weightedNms(good);
  }

  async #faces(image: Picture, candidates: readonly Candidate[]): Promise<Face[]> {
    const faces: Face[] = [];
    for (const { score, points } of candidates) {
      const [low, high, leftEye, rightEye] = points;
      const eyeLine: Point = [rightEye[0] - leftEye[0], rightEye[1] - leftEye[1]];
      const mesh = await this.#mesh.points(image, low, high, eyeLine);
      if (mesh.presence >= MIN_PRESENCE) {
        const [inner, outer] = [low, high].map(([x, y]): Point => [
          Math.min(Math.max(x, -0.5), image.width - 0.5),
          Math.min(Math.max(y, -0.5), image.height - 0.5),
        ]);
        faces.push({ low: inner, high: outer, score, points: fivePoints(mesh.points) });
      }
    }
    return faces;
  }
}

/** The faces of the turn with the best score, and the upright ones; one that is certain makes other turns needless. */
async function bestTurn(look: Look, image: Picture): Promise<{ faces: Face[]; upright: Face[] }> {
  const upright = await look(image);
  let faces = upright;
  if (best(upright) < CERTAIN) {
    for (const turns of QUARTER_TURNS.slice(1)) {
      faces = better(faces, await turned(look, image, turns));
    }
  }
  return { faces, upright };
}

function best(faces: readonly Face[]): number {
  return Math.max(0, ...faces.map(({ score }) => score));
}

function better(first: Face[], second: Face[]): Face[] {
  return best(second) > best(first) ? second : first;
}

function largestFirst(faces: readonly Face[]): Face[] {
  const area = ({ low, high }: Face) => (high[0] - low[0]) * (high[1] - low[1]);
  return [...faces].sort((a, b) => area(b) - area(a));
}

function longerSide(low: Point, high: Point): number {
  return Math.max(high[0] - low[0], high[1] - low[1]);
}

function closeView({ points: [low, high] }: Candidate): View {
  return { center: [(low[0] + high[0]) / 2, (low[1] + high[1]) / 2], side: CLOSE * longerSide(low, high) };
}

/** The square around the whole photo, and the second look's other squares. */
function views({ width, height }: Picture): { whole: View; others: View[] } {
  const side = Math.max(height, width);
  const center: Point = [(width - 1) / 2, (height - 1) / 2];
  const rows = tileCenters(height, TILE * side);
  const columns = tileCenters(width, TILE * side);
  const tiles = rows.flatMap((y) => columns.map((x): View => ({ center: [x, y], side: TILE * side })));
  return { whole: { center, side }, others: [{ center, side: WIDE * side }, ...tiles] };
}

function tileCenters(extent: number, tile: number): number[] {
  if (extent <= tile) {
    return [(extent - 1) / 2];
  }
  const count = 1 + Math.ceil((extent - tile) / (TILE_STEP * tile));
  return Array.from({ length: count }, (_, i) => tile / 2 + ((extent - tile) * i) / (count - 1) - 0.5);
}

async function turned(look: Look, image: Picture, turns: number): Promise<Face[]> {
  const faces = await look(quarterTurns(image, turns));
  const back = wayBack(turns, image);
  return faces.map((face) => {
    const [a, b] = [transformPoint(back, face.low), transformPoint(back, face.high)];
    return {
      low: [Math.min(a[0], b[0]), Math.min(a[1], b[1])],
      high: [Math.max(a[0], b[0]), Math.max(a[1], b[1])],
      score: face.score,
      points: face.points.map((point) => transformPoint(back, point)),
    };
  });
}

/** From pixels of the photo turned counterclockwise to pixels of the photo itself. */
function wayBack(turns: number, { width, height }: Picture): Affine {
  const [right, bottom] = [width - 1, height - 1];
  const maps: Affine[] = [
    [1, 0, 0, 0, 1, 0],
    [0, -1, right, 1, 0, 0],
    [-1, 0, right, 0, -1, bottom],
    [0, 1, 0, -1, 0, bottom],
  ];
  return maps[turns];
}

/** The photo turned counterclockwise by quarter turns. */
export function quarterTurns(image: Picture, turns: number): Picture {
  if (!turns) {
    return image;
  }
  const [width, height] = turns % 2 ? [image.height, image.width] : [image.width, image.height];
  const [a, b, c, d, e, f] = wayBack(turns, image);
  const data = new Uint8Array(image.data.length);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += 3) {
      const from = 3 * (a * x + b * y + c + image.width * (d * x + e * y + f));
      data[at] = image.data[from];
      data[at + 1] = image.data[from + 1];
      data[at + 2] = image.data[from + 2];
    }
  }
  return { width, height, data };
}
