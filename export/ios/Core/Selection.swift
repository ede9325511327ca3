// Which face a photo of one person shows, or why that can't be said: kerasface/edge/detection/selection.py written once more.

private let similarSide = 0.7

extension Face {
    fileprivate var side: Double { ((high.x - low.x) * (high.y - low.y)).squareRoot() }
}

/// The one face that a photo is about.
func theFace(_ faces: [Face]) throws -> Face {
    guard let largest = faces.max(by: { $0.side < $1.side }) else {
        throw KerasfaceError("No face found. Take a photo that shows the face larger and from the front.")
    }
    let similar = faces.filter { $0.side >= similarSide * largest.side }.count
    guard similar == 1 else {
        throw KerasfaceError("\(similar) faces of similar size: whose is meant? Crop the photo to one person.")
    }
    return largest
}
