// Names and face templates: kerasface/edge/galleries/gallery.py written once more, under its policy "mean".
import Foundation

private let format = 1
// As kerasface/edge/galleries/content.py reads them: a mean of unit vectors is no longer than they are.
private let lengths = 5e-4...1.001
private let notice =
    "Biometric data: names and face templates in clear. Keep it to yourself, delete it when it has served."

/// The answer to "who is this?".
struct Match: Equatable {
    /// nil: unknown.
    let name: String?
    /// Cosine to the nearest person's template; -1 when the gallery is empty.
    let score: Double
    let nearest: String?
}

/// People known by the mean of their embeddings, bound to the one embedder that made them.
struct Gallery {
    private struct Person {
        var mean: [Double]
        var photos: Int
    }

    let spec: EmbedderSpec
    private var people: [String: Person] = [:]

    init(spec: EmbedderSpec) {
        self.spec = spec
    }

    var names: [String] { people.keys.sorted() }

    func photos(of name: String) -> Int { people[name]?.photos ?? 0 }

    /// Adds a photo of a person; a known name's template becomes the mean of the old ones and the new one.
    mutating func enroll(_ name: String, _ embedding: [Double]) throws {
        guard !isBlank(name) else {
            throw KerasfaceError("Whose photo is it? Write the person's name.")
        }
        let known = people[name] ?? Person(mean: embedding.map { _ in 0 }, photos: 0)
        let count = known.photos + 1
        let mean = zip(known.mean, embedding).map { ($0 * Double(known.photos) + $1) / Double(count) }
        guard length(mean) >= 1e-3 else {
            throw KerasfaceError("The photos of \(name) have nothing in common: are they of one person?")
        }
        people[name] = Person(mean: mean, photos: count)
    }

    mutating func remove(_ name: String) {
        people[name] = nil
    }

    /// Who a face is: the nearest person when the cosine is at least the threshold, else unknown.
    func identify(_ embedding: [Double], threshold: Double) -> Match {
        var match = Match(name: nil, score: -1, nearest: nil)
        for name in names {
            let mean = people[name]!.mean
            let cosine = zip(mean, embedding).reduce(0) { $0 + $1.0 * $1.1 } / length(mean)
            // min(1, .nan) is 1: without a direction everybody would be this person.
            guard cosine.isFinite else { continue }
            let score = max(-1, min(1, cosine))
            if match.nearest == nil || score > match.score {
                match = Match(name: score >= threshold ? name : nil, score: score, nearest: name)
            }
        }
        return match
    }

    /// As `kerasface gallery export` writes it and `kerasface gallery import` reads it.
    func json() throws -> Data {
        let rows: [[String: Any]] = names.map { name in
            ["name": name, "photos": photos(of: name), "templates": [people[name]!.mean]]
        }
        let document: [String: Any] = [
            "kerasface_gallery": format, "notice": notice, "spec": spec.json, "policy": "mean", "people": rows,
        ]
        return try JSONSerialization.data(withJSONObject: document, options: [.sortedKeys])
    }

    /// Reads what `json` wrote; another embedder's gallery is refused, this file's own thresholds decide.
    init(json: Data, spec: EmbedderSpec) throws {
        let document = try? JSONSerialization.jsonObject(with: json) as? [String: Any]
        guard document?["kerasface_gallery"] as? Int == format, document?["policy"] as? String == "mean" else {
            throw KerasfaceError("This is no gallery of this app's format.")
        }
        let owner = (document?["spec"] as? [String: Any])?["embedder_id"] as? String ?? "none"
        guard owner == spec.embedderID else {
            throw KerasfaceError(
                "The gallery belongs to embedder \(owner): embeddings of different models can't be compared. "
                    + "Received: embedder \(spec.embedderID). Bring that model back, or delete everybody and enroll "
                    + "anew."
            )
        }
        self.init(spec: spec)
        for row in document?["people"] as? [[String: Any]] ?? [] {
            guard
                let name = row["name"] as? String, !isBlank(name),
                let photos = row["photos"] as? Int, photos >= 1,
                let templates = row["templates"] as? [[Double]],
                templates.count == 1, templates[0].count == spec.templateSize, lengths.contains(length(templates[0]))
            else {
                throw KerasfaceError("The gallery is damaged.")
            }
            guard people.updateValue(Person(mean: templates[0], photos: photos), forKey: name) == nil else {
                throw KerasfaceError("The gallery is damaged: it holds \(name) twice.")
            }
        }
    }
}

private func isBlank(_ name: String) -> Bool {
    name.trimmingCharacters(in: .whitespacesAndNewlines).isEmpty
}
