// EmbedderSpec, the one truth about an embedder, as kerasface/spec.py writes it, and the sidecar that carries it.
import Foundation

private let format = 1

/// A cosine from which two faces count as one person, and the rate of strangers for whom it does too.
struct Threshold {
    let cosine: Double
    let far: Double
}

enum Flip: String {
    case none, sum, concatenate
}

struct EmbedderSpec {
    let name: String
    let embedderID: String
    let embeddingSize: Int
    let template: Template
    let flip: Flip
    let thresholds: [Threshold]
    /// What it was read from, for the gallery.
    let json: [String: Any]

    /// How many numbers an embedding has, mirror image included.
    var templateSize: Int { flip == .concatenate ? 2 * embeddingSize : embeddingSize }

    /// The cosine that decides: the strictest FAR's, since a false accept is the worse mistake; nil: none.
    var threshold: Double? {
        let strictest = thresholds.map(\.far).min()
        return thresholds.filter { $0.far == strictest }.map(\.cosine).max()
    }

    init(json: [String: Any]) throws {
        guard json["format"] as? Int == format else {
            let received = json["format"] ?? "none"
            throw KerasfaceError("The spec should be of format 1; a newer kerasface wrote it. Received: \(received)")
        }
        name = try Self.field("name", of: json)
        embedderID = try Self.field("embedder_id", of: json)
        embeddingSize = try Self.field("embedding_size", of: json)
        let width: Int = try Self.field("input_width", of: json)
        let height: Int = try Self.field("input_height", of: json)
        let named: String = try Self.field("template", of: json)
        guard let template = templates[named], template.width == width, template.height == height else {
            let known = templates.keys.sorted().joined(separator: " or ")
            throw KerasfaceError(
                "\(name) takes no faces of a known template: expected \(known). Received: \(named), \(height)×\(width)"
            )
        }
        self.template = template
        guard let flip = Flip(rawValue: try Self.field("flip", of: json)) else {
            throw Self.lacks("flip")
        }
        self.flip = flip
        let pairs: [[String: Any]] = try Self.field("thresholds", of: json)
        thresholds = try pairs.map { pair in
            let threshold = Threshold(cosine: try Self.field("cosine", of: pair), far: try Self.field("far", of: pair))
            guard abs(threshold.cosine) <= 1, threshold.far > 0, threshold.far < 1 else {
                throw Self.lacks("thresholds")
            }
            return threshold
        }
        self.json = json
    }

    /// Reads the `.json` file that `kerasface export` writes beside a model. `sha256` is that of the model's file, in
    /// hexadecimal: a sidecar of another file is refused.
    init(sidecar: Data, sha256: String) throws {
        let fields = try? JSONSerialization.jsonObject(with: sidecar) as? [String: Any]
        guard let spec = fields?["spec"] as? [String: Any] else {
            throw KerasfaceError("The embedder's .json file is none of kerasface export: it lacks spec.")
        }
        guard fields?["sha256"] as? String == sha256 else {
            throw KerasfaceError("The embedder is not the file that its .json file was written for. Copy both again.")
        }
        try self.init(json: spec)
    }

    private static func field<Value>(_ name: String, of json: [String: Any]) throws -> Value {
        guard let value = json[name] as? Value else {
            throw lacks(name)
        }
        return value
    }

    private static func lacks(_ field: String) -> KerasfaceError {
        KerasfaceError("The spec has no good \(field). Export the model again with kerasface export.")
    }
}
