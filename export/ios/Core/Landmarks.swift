// The five of a face mesh's points that alignment needs: kerasface/edge/detection/landmarks.py written once more.

// Both corners and three points on each lid; image-left eye first.
private let eyes = [
    [33, 160, 158, 133, 153, 144, 159, 145],
    [263, 387, 385, 362, 380, 373, 386, 374],
]
private let nose = 4
private let mouthCorners = [61, 291]

/// A face found in a photo, in its pixels; its box is cut at the photo's border.
struct Face {
    let low: Point
    let high: Point
    let points: [Point]
}

/// Reduces a mesh to image-left eye, image-right eye, nose, image-left and image-right mouth corner.
func fivePoints(_ mesh: [Point]) -> [Point] {
    eyes.map { eye in mean(eye.map { mesh[$0] }) } + [mesh[nose]] + mouthCorners.map { mesh[$0] }
}

/// A face of MediaPipe's FaceLandmarker: `mesh` is its 478 points as fractions of the photo, 0 and 1 on the photo's
/// edges. The last ten, the irises, and the depths aren't needed.
func face(ofLandmarks mesh: [Point], width: Int, height: Int) -> Face {
    // A pixel's center has whole coordinates here, its corner there.
    let pixels = mesh.map { Point(x: $0.x * Double(width) - 0.5, y: $0.y * Double(height) - 0.5) }
    // A face is as large as what is seen of it: else one that the border cuts would pass for the photo's largest.
    let seen = pixels.map { pixel in
        Point(x: min(max(pixel.x, -0.5), Double(width) - 0.5), y: min(max(pixel.y, -0.5), Double(height) - 0.5))
    }
    return Face(
        low: Point(x: seen.map(\.x).min()!, y: seen.map(\.y).min()!),
        high: Point(x: seen.map(\.x).max()!, y: seen.map(\.y).max()!),
        points: fivePoints(pixels)
    )
}
