// Holds Core to what kerasface.edge answers: export/vectors.
import Foundation
import XCTest

@testable import KerasfaceCore

final class VectorTests: XCTestCase {
    func testTemplates() throws {
        let expected = try vectors("similarity")["templates"] as! [String: JSON]
        XCTAssertEqual(Set(templates.keys), Set(expected.keys))
        for (name, template) in expected {
            try assertClose(templates[name]!.points.numbers, template["points"])
            XCTAssertEqual(templates[name]!.width, template["width"] as? Int)
            XCTAssertEqual(templates[name]!.height, template["height"] as? Int)
        }
    }

    func testSimilarityTransform() throws {
        for vector in try cases("similarity") {
            let found = try similarityTransform(points(vector["source"]), points(vector["target"]))
            try assertClose([found.a, found.b, found.c, found.d, found.e, found.f], vector["matrix"])
        }
    }

    func testWarpToTheBit() throws {
        let image = picture(try vectors("warp")["picture"])
        for vector in try cases("warp") {
            let m = numbers(vector["matrix"])
            let matrix = Affine(a: m[0], b: m[1], c: m[2], d: m[3], e: m[4], f: m[5])
            let warped = warp(image, matrix, width: vector["width"] as! Int, height: vector["height"] as! Int)
            XCTAssertEqual(warped.rgb, Data(base64Encoded: vector["rgb"] as! String), "\(m)")
        }
    }

    func testCropToTheBit() throws {
        let image = picture(try vectors("crop")["picture"])
        for vector in try cases("crop") {
            let cut = try crop(image, points(vector["points"]), templates[vector["template"] as! String]!)
            XCTAssertEqual(cut.rgb, Data(base64Encoded: vector["rgb"] as! String))
        }
    }

    func testPointsThatDetermineNothing() {
        let target = templates["arcface_112x112"]!.points
        assertRefused("coincide") { _ = try similarityTransform(target.map { _ in Point(x: 3, y: 4) }, target) }
        assertRefused("finite") { _ = try similarityTransform(target.map { _ in Point(x: 3, y: .nan) }, target) }
    }

    func testFivePoints() throws {
        let vector = try vectors("detection")["five_points"] as! JSON
        try assertClose(fivePoints(points(vector["mesh"])).numbers, vector["points"])
    }

    func testFacesInAPhoto() throws {
        for vector in try vectors("detection")["landmarks"] as! [JSON] {
            let (width, height) = (vector["width"] as! Int, vector["height"] as! Int)
            let found = face(ofLandmarks: points(vector["fractions"]), width: width, height: height)
            try assertClose([found.low, found.high].numbers, vector["box"])
            try assertClose(found.points.numbers, vector["points"])
        }
    }

    func testDecisions() throws {
        let decisions = try vectors("decisions")
        let gallery = try enrolled()
        XCTAssertEqual(gallery.spec.threshold, decisions["threshold"] as? Double)
        XCTAssertNil(try spec(["thresholds": [JSON]()]).threshold)
        let empty = Gallery(spec: gallery.spec).identify([Double](repeating: 0, count: 8), threshold: -1)
        XCTAssertEqual(empty, Match(name: nil, score: -1, nearest: nil))
        let reread = try Gallery(json: gallery.json(), spec: gallery.spec)
        XCTAssertEqual(reread.names.map(reread.photos), gallery.names.map(gallery.photos))
        for probe in decisions["probes"] as! [JSON] {
            for source in [gallery, reread] {
                let threshold = probe["threshold"] as! Double
                let match = source.identify(numbers(probe["embedding"]), threshold: threshold)
                XCTAssertEqual(match.name, probe["name"] as? String)
                XCTAssertEqual(match.nearest, probe["nearest"] as? String)
                try assertClose([match.score], [probe["score"]!])
            }
        }
    }

    func testGalleryOfAnotherEmbedder() throws {
        let json = try enrolled().json()
        assertRefused("Received: embedder other") {
            _ = try Gallery(json: json, spec: self.spec(["embedder_id": "other"]))
        }
        assertRefused("no gallery") { _ = try Gallery(json: Data("[]".utf8), spec: self.spec()) }
    }

    func testNobodyIsCalledNothing() throws {
        var gallery = Gallery(spec: try spec())
        assertRefused("name") { try gallery.enroll(" \n", [Double](repeating: 0.1, count: 8)) }
    }

    func testAnEmbeddingThatIsNoNumberIsNobodys() throws {
        let match = try enrolled().identify([Double](repeating: .nan, count: 8), threshold: -1)
        XCTAssertEqual(match, Match(name: nil, score: -1, nearest: nil))
    }

    /// What kerasface/edge/galleries/content.py takes and refuses.
    func testReading() throws {
        func read(_ name: String, _ length: Double, times: Int = 1) throws -> [String] {
            let template = [0.6 * length, 0.8 * length, 0, 0, 0, 0, 0, 0]
            let file: JSON = [
                "kerasface_gallery": 1, "spec": try spec().json, "policy": "mean",
                "people": [JSON](repeating: ["name": name, "photos": 1, "templates": [template]], count: times),
            ]
            return try Gallery(json: JSONSerialization.data(withJSONObject: file), spec: spec()).names
        }
        for length in [0.00051, 1, 1.0009] {
            XCTAssertEqual(try read("Ann", length), ["Ann"])
        }
        for (name, length) in [("Ann", 0), ("Ann", 0.00049), ("Ann", 1.0011), (" ", 1)] {
            assertRefused("damaged") { _ = try read(name, length) }
        }
        assertRefused("holds Ann twice") { _ = try read("Ann", 1, times: 2) }
    }

    func testWhoIsRemovedIsUnknown() throws {
        var gallery = try enrolled()
        let probe = numbers((try vectors("decisions")["probes"] as! [JSON])[0]["embedding"])
        gallery.names.forEach { gallery.remove($0) }
        XCTAssertEqual(gallery.identify(probe, threshold: -1), Match(name: nil, score: -1, nearest: nil))
    }

    func testWhichFaceIsMeant() throws {
        for vector in try vectors("decisions")["selection"] as! [JSON] {
            let sides = numbers(vector["sides"])
            let faces = sides.map { Face(low: Point(x: 0, y: 0), high: Point(x: $0, y: $0), points: []) }
            if let meant = vector["meant"] as? Int {
                XCTAssertEqual(try theFace(faces).high.x, sides[meant])
            } else {
                assertRefused(sides.isEmpty ? "No face" : "similar size") { _ = try theFace(faces) }
            }
        }
    }

    func testSidecar() throws {
        let text = try JSONSerialization.data(withJSONObject: ["sha256": "5eed", "spec": spec().json])
        XCTAssertEqual(try EmbedderSpec(sidecar: text, sha256: "5eed").embedderID, try spec().embedderID)
        assertRefused("is not the file") { _ = try EmbedderSpec(sidecar: text, sha256: "other") }
        assertRefused("lacks spec") { _ = try EmbedderSpec(sidecar: Data("[]".utf8), sha256: "5eed") }
        assertRefused("newer kerasface") { _ = try self.spec(["format": 2]) }
        assertRefused("known template") { _ = try self.spec(["template": "none"]) }
        assertRefused("no good flip") { _ = try self.spec(["flip": "twice"]) }
    }

    func testFlips() throws {
        let crop = Picture(width: 2, height: 2, data: [1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0])
        let run = { (crop: Picture) in [0, 4, 8, 12].map { Double(crop.data[$0]) } + [0, 0, 0, 0] }
        let expected: [String: [Double]] = [
            "none": [1, 2, 3, 4, 0, 0, 0, 0],
            "sum": [3, 3, 7, 7, 0, 0, 0, 0],
            "concatenate": [1, 2, 3, 4, 0, 0, 0, 0, 2, 1, 4, 3, 0, 0, 0, 0],
        ]
        for (flip, direction) in expected {
            let embedding = try embed(spec(["flip": flip]), crop, run: run)
            try assertClose(embedding, direction.map { $0 / length(direction) })
        }
        assertRefused("expected 8 numbers") { _ = try embed(self.spec(), crop) { _ in [1, 2, 3] } }
        assertRefused("without a direction") { _ = try embed(self.spec(), crop) { _ in [0, 0, 0, 0, 0, 0, 0, 0] } }
    }

    private func spec(_ changes: JSON = [:]) throws -> EmbedderSpec {
        let json = try vectors("decisions")["spec"] as! JSON
        return try EmbedderSpec(json: json.merging(changes) { $1 })
    }

    private func enrolled() throws -> Gallery {
        var gallery = Gallery(spec: try spec())
        for person in try vectors("decisions")["enrolled"] as! [JSON] {
            for embedding in person["embeddings"] as! [Any] {
                try gallery.enroll(person["name"] as! String, numbers(embedding))
            }
        }
        return gallery
    }
}

private typealias JSON = [String: Any]

private func vectors(_ name: String) throws -> JSON {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../vectors")
    let content = try Data(contentsOf: folder.appendingPathComponent("\(name).json"))
    return try JSONSerialization.jsonObject(with: content) as! JSON
}

private func cases(_ name: String) throws -> [JSON] {
    try vectors(name)["cases"] as! [JSON]
}

/// As export/vectors/make.py says.
private func picture(_ size: Any?) -> Picture {
    let size = size as! [String: Int]
    var image = Picture(width: size["width"]!, height: size["height"]!)
    for y in 0..<image.height {
        for x in 0..<image.width {
            for c in 0..<3 {
                let value = (3 * x * x + 5 * y * y + 7 * x * y + 4099 * c) >> 6
                image.data[4 * (y * image.width + x) + c] = UInt8(value & 255)
            }
        }
    }
    return image
}

/// All numbers in nested arrays.
private func numbers(_ value: Any?) -> [Double] {
    (value as? [Any])?.flatMap(numbers) ?? [value as! Double]
}

private func points(_ value: Any?) -> [Point] {
    (value as! [Any]).map { numbers($0) }.map { Point(x: $0[0], y: $0[1]) }
}

private func assertClose(_ received: [Double], _ expected: Any?, line: UInt = #line) throws {
    let expected = numbers(expected)
    XCTAssertEqual(received.count, expected.count, line: line)
    for (mine, theirs) in zip(received, expected) {
        XCTAssertEqual(mine, theirs, accuracy: 1e-9 * max(1, abs(theirs)), line: line)
    }
}

private func assertRefused(_ why: String, line: UInt = #line, _ action: () throws -> Void) {
    XCTAssertThrowsError(try action(), line: line) { error in
        let message = (error as? KerasfaceError)?.message ?? ""
        XCTAssert(message.contains(why), "\(error)", line: line)
    }
}

extension [Point] {
    fileprivate var numbers: [Double] { flatMap { [$0.x, $0.y] } }
}

extension Picture {
    fileprivate var rgb: Data {
        Data(stride(from: 0, to: data.count, by: 4).flatMap { data[$0..<$0 + 3] })
    }
}
