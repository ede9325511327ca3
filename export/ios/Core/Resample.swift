// Pillow's `Image.reduce` and its bilinear `Image.transform`, to the bit.

/// Averages blocks of `factor`×`factor` pixels of a box; blocks at the right and lower edge may be smaller.
func reduce(_ image: Picture, by factor: Int, columns: Range<Int>, rows: Range<Int>) -> Picture {
    var result = Picture(
        width: (columns.count + factor - 1) / factor,
        height: (rows.count + factor - 1) / factor
    )
    for y in 0..<result.height {
        let top = rows.lowerBound + y * factor
        let bottom = min(top + factor, rows.upperBound)
        for x in 0..<result.width {
            let left = columns.lowerBound + x * factor
            let right = min(left + factor, columns.upperBound)
            let count = (bottom - top) * (right - left)
            // Pillow divides by a whole number's multiplication, which it finds in single precision.
            let multiplier = Int(Float(4_294_967_296 / (256 * Double(count))))
            for channel in 0..<3 {
                var sum = count >> 1
                for row in top..<bottom {
                    let line = 4 * row * image.width + channel
                    for at in stride(from: line + 4 * left, to: line + 4 * right, by: 4) {
                        sum += Int(image.data[at])
                    }
                }
                result.data[4 * (y * result.width + x) + channel] = UInt8((sum * multiplier) >> 24)
            }
        }
    }
    return result
}

/// Samples a picture bilinearly; black outside. `way` goes from the result to the picture, a pixel's corner at whole
/// numbers in both.
func transform(_ image: Picture, _ way: Affine, width: Int, height: Int) -> Picture {
    var result = Picture(width: width, height: height)
    let (imageWidth, imageHeight) = (Double(image.width), Double(image.height))
    for y in 0..<height {
        for x in 0..<width {
            let place = way(Point(x: Double(x) + 0.5, y: Double(y) + 0.5))
            guard place.x >= 0, place.x < imageWidth, place.y >= 0, place.y < imageHeight else {
                continue
            }
            for channel in 0..<3 {
                let value = sample(image, channel, place.x - 0.5, place.y - 0.5)
                result.data[4 * (y * width + x) + channel] = value
            }
        }
    }
    return result
}

private func sample(_ image: Picture, _ channel: Int, _ u: Double, _ v: Double) -> UInt8 {
    let (column, row) = (u.rounded(.down), v.rounded(.down))
    let left = max(Int(column), 0)
    let right = min(Int(column) + 1, image.width - 1)
    let upper = image.width * max(Int(row), 0)
    let lower = image.width * min(Int(row) + 1, image.height - 1)
    func at(_ index: Int) -> Double { Double(image.data[4 * index + channel]) }
    let first = mix(at(upper + left), at(upper + right), u - column)
    let second = mix(at(lower + left), at(lower + right), u - column)
    return UInt8(mix(first, second, v - row)) // cut off, not rounded
}

private func mix(_ from: Double, _ to: Double, _ share: Double) -> Double {
    from + (to - from) * share
}
