// What is done around the network, whoever runs it: kerasface/edge/embedder.py's share.

/// Embeds an aligned face as the spec's flip wants it; `run` brings a crop to the network's numbers.
///
/// The result has unit length. It is biometric data of the person shown.
func embed(_ spec: EmbedderSpec, _ face: Picture, run: (Picture) throws -> [Double]) throws -> [Double] {
    func checked(_ crop: Picture) throws -> [Double] {
        let numbers = try run(crop)
        guard numbers.count == spec.embeddingSize else {
            throw KerasfaceError(
                "\(spec.name) is not an embedder as its spec says: expected \(spec.embeddingSize) numbers. "
                    + "Received: \(numbers.count)"
            )
        }
        return try unit(numbers)
    }
    let embedding = try checked(face)
    switch spec.flip {
    case .none: return embedding
    case .sum: return try unit(zip(embedding, try checked(mirror(face))).map { $0 + $1 })
    case .concatenate: return try unit(embedding + checked(mirror(face)))
    }
}

func length(_ values: [Double]) -> Double {
    values.reduce(0) { $0 + $1 * $1 }.squareRoot()
}

private func unit(_ values: [Double]) throws -> [Double] {
    let norm = length(values)
    guard norm > 0, norm.isFinite else {
        throw KerasfaceError("The embedder gave an embedding without a direction: it is damaged. Export it again.")
    }
    return values.map { $0 / norm }
}

private func mirror(_ face: Picture) -> Picture {
    var mirrored = face
    for pixel in 0..<face.width * face.height {
        let from = pixel - 2 * (pixel % face.width) + face.width - 1
        for channel in 0..<4 {
            mirrored.data[4 * pixel + channel] = face.data[4 * from + channel]
        }
    }
    return mirrored
}
