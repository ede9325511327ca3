// Five points to an aligned crop: kerasface/edge/align.py written once more.

/// Where the five points lie in a crop: image-left eye, image-right eye, nose, image-left and -right mouth corner.
struct Template {
    let points: [Point]
    let width: Int
    let height: Int
}

private let arcFace = [
    Point(x: 38.2946, y: 51.6963),
    Point(x: 73.5318, y: 51.5014),
    Point(x: 56.0252, y: 71.7366),
    Point(x: 41.5493, y: 92.3655),
    Point(x: 70.7299, y: 92.2041),
]

let templates = [
    "arcface_112x112": Template(points: arcFace, width: 112, height: 112),
    "arcface_112x96": Template(points: arcFace.map { Point(x: $0.x - 8, y: $0.y) }, width: 96, height: 112),
]

/// The turn, scale and shift that bring points onto others with the least squared error.
///
/// With points as complex numbers, `t ≈ a·s + b`: `a = Σ conj(s - s̄)(t - t̄) / Σ|s - s̄|²`, `b = t̄ - a·s̄`: Umeyama's
/// solution without reflection (TPAMI 1991, eq. 40–42).
func similarityTransform(_ source: [Point], _ target: [Point]) throws -> Affine {
    let (center, aim) = (mean(source), mean(target))
    var (real, imaginary, spread) = (0.0, 0.0, 0.0)
    for (s, t) in zip(source, target) {
        let (sx, sy) = (s.x - center.x, s.y - center.y)
        let (tx, ty) = (t.x - aim.x, t.y - aim.y)
        real += sx * tx + sy * ty
        imaginary += sx * ty - sy * tx
        spread += sx * sx + sy * sy
    }
    guard spread > 0 else {
        throw KerasfaceError("Points must be finite and not all coincide. Received: \(source)")
    }
    let (a, b) = (real / spread, imaginary / spread)
    return Affine(
        a: a, b: -b, c: aim.x - (a * center.x - b * center.y),
        d: b, e: a, f: aim.y - (b * center.x + a * center.y)
    )
}

/// Cuts an aligned face out of a photo: bilinear, antialiased where it shrinks, black outside the photo.
func crop(_ image: Picture, _ points: [Point], _ template: Template) throws -> Picture {
    let matrix = try similarityTransform(points, template.points)
    guard matrix.determinant > 0 else {
        throw KerasfaceError("Points don't lie as a face's do. Received: \(points)")
    }
    return warp(image, matrix, width: template.width, height: template.height)
}

func mean(_ points: [Point]) -> Point {
    let sum = points.reduce(Point(x: 0, y: 0)) { Point(x: $0.x + $1.x, y: $0.y + $1.y) }
    return Point(x: sum.x / Double(points.count), y: sum.y / Double(points.count))
}
