// Affine maps between pictures and the resampler: kerasface/edge/geometry.py written once more. A pixel's center has
// whole coordinates.
import Foundation

/// In pixels.
struct Point: Equatable {
    var x: Double
    var y: Double
}

/// RGBA bytes, row after row, as Core Graphics draws them; what alpha says is ignored.
struct Picture {
    let width: Int
    let height: Int
    var data: [UInt8]

    /// Black and opaque.
    init(width: Int, height: Int) {
        self.init(width: width, height: height, data: [UInt8](repeating: 0, count: 4 * width * height))
        for alpha in stride(from: 3, to: data.count, by: 4) {
            data[alpha] = 255
        }
    }

    init(width: Int, height: Int, data: [UInt8]) {
        self.width = width
        self.height = height
        self.data = data
    }
}

/// `(x, y) → (a·x + b·y + c, d·x + e·y + f)`.
struct Affine {
    let a, b, c, d, e, f: Double

    var determinant: Double { a * e - b * d }

    func callAsFunction(_ point: Point) -> Point {
        Point(x: a * point.x + b * point.y + c, y: d * point.x + e * point.y + f)
    }

    /// The map that undoes this one.
    var inverse: Affine {
        let (ia, ib) = (e / determinant, -b / determinant)
        let (id, ie) = (-d / determinant, a / determinant)
        return Affine(a: ia, b: ib, c: -(ia * c + ib * f), d: id, e: ie, f: -(id * c + ie * f))
    }

    /// The map that does `first`, then this one.
    func after(_ first: Affine) -> Affine {
        let shift = self(Point(x: first.c, y: first.f))
        return Affine(
            a: a * first.a + b * first.d, b: a * first.b + b * first.e, c: shift.x,
            d: d * first.a + e * first.d, e: d * first.b + e * first.e, f: shift.y
        )
    }

    fileprivate var rounded: Affine {
        func tidy(_ value: Double) -> Double { (value * 1e12).rounded() / 1e12 }
        return Affine(a: tidy(a), b: tidy(b), c: tidy(c), d: tidy(d), e: tidy(e), f: tidy(f))
    }
}

private let rounding = 1 + 1e-9

/// Resamples a picture through a similarity: bilinear, with antialiasing where it shrinks, black outside.
///
/// Whole-number shrinking is done first by averaging blocks of the region that is needed; what remains, less than 2, by
/// averaging 2×2 bilinear samples per pixel. `matrix` goes from pixels of `image` to pixels of the result.
func warp(_ image: Picture, _ matrix: Affine, width: Int, height: Int) -> Picture {
    let back = matrix.inverse
    let shrink = abs(back.determinant).squareRoot()
    let block = max(1, Int(shrink * rounding)) // rounding makes no 3 of a 4
    let corners = [-0.5, Double(height) - 0.5].flatMap { y in
        [-0.5, Double(width) - 0.5].map { x in back(Point(x: x, y: y)) }
    }
    let margin = 2 * block // one block for the bilinear neighbor, one for the rounding to whole blocks
    let columns = span(corners.map(\.x), margin: margin, limit: image.width)
    let rows = span(corners.map(\.y), margin: margin, limit: image.height)
    if columns.isEmpty || rows.isEmpty {
        return Picture(width: width, height: height)
    }
    let region = reduce(image, by: block, columns: columns, rows: rows)
    // A crop that lies on the template is copied: its transform is the identity but for rounding.
    let samples = shrink > Double(block) * rounding ? 2 : 1
    // From the corner-based result to the corner-based region.
    let (fine, coarse) = (1 / Double(samples), 1 / Double(block))
    let toResult = Affine(a: fine, b: 0, c: -0.5, d: 0, e: fine, f: -0.5)
    let toRegion = Affine(
        a: coarse, b: 0, c: (0.5 - Double(columns.lowerBound)) / Double(block),
        d: 0, e: coarse, f: (0.5 - Double(rows.lowerBound)) / Double(block)
    )
    // Rounded, since what is interpolated is cut off: a turn of 1e-17 would make one pixel in twenty darker by one.
    let way = toRegion.after(back.after(toResult)).rounded
    let result = transform(region, way, width: width * samples, height: height * samples)
    return samples > 1 ? reduce(result, by: samples, columns: 0..<result.width, rows: 0..<result.height) : result
}

private func span(_ values: [Double], margin: Int, limit: Int) -> Range<Int> {
    func clip(_ value: Int) -> Int { min(max(value, 0), limit) }
    let from = Int(values.min()!.rounded(.down)) - margin
    let until = Int(values.max()!.rounded(.up)) + margin
    return clip(from)..<clip(until)
}
