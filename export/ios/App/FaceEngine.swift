// MediaPipe's two tasks with kerasface's alignment between them.
import CryptoKit
import Foundation
import MediaPipeTasksVision
import UIKit

private let maxFaces = 8

/// Use it from one thread at a time.
final class FaceEngine {
    let spec: EmbedderSpec
    private let landmarker: FaceLandmarker
    private let embedder: ImageEmbedder

    init(bundle: Bundle = .main) throws {
        guard
            let landmarkerPath = bundle.path(forResource: "face_landmarker", ofType: "task"),
            let embedderPath = bundle.path(forResource: "embedder", ofType: "tflite"),
            let sidecarPath = bundle.path(forResource: "embedder.tflite", ofType: "json")
        else {
            throw KerasfaceError(
                "The models are missing: put face_landmarker.task, embedder.tflite and embedder.tflite.json into "
                    + "export/ios/Models, as the README says."
            )
        }
        let digest = SHA256.hash(data: try Data(contentsOf: URL(fileURLWithPath: embedderPath)))
        spec = try EmbedderSpec(
            sidecar: Data(contentsOf: URL(fileURLWithPath: sidecarPath)),
            sha256: digest.map { String(format: "%02x", $0) }.joined()
        )

        let landmarkerOptions = FaceLandmarkerOptions()
        landmarkerOptions.baseOptions.modelAssetPath = landmarkerPath
        landmarkerOptions.runningMode = .image
        landmarkerOptions.numFaces = maxFaces
        landmarker = try FaceLandmarker(options: landmarkerOptions)

        // Preprocessing and normalization stand inside the exported file, and bytes in the place of its floats would
        // cost cosines: neither is asked of MediaPipe.
        let embedderOptions = ImageEmbedderOptions()
        embedderOptions.baseOptions.modelAssetPath = embedderPath
        embedderOptions.runningMode = .image
        embedderOptions.l2Normalize = false
        embedderOptions.quantize = false
        embedder = try ImageEmbedder(options: embedderOptions)
    }

    /// Every face of an upright photo, as far as MediaPipe sees it.
    func faces(in photo: UprightPhoto) throws -> [Face] {
        try landmarker.detect(image: photo.mpImage()).faceLandmarks.map { landmarks in
            let mesh = landmarks.map { Point(x: Double($0.x), y: Double($0.y)) }
            return face(ofLandmarks: mesh, width: photo.picture.width, height: photo.picture.height)
        }
    }

    /// Aligns and embeds a face of a photo.
    func embedding(of face: Face, in photo: UprightPhoto) throws -> [Double] {
        let aligned = try crop(photo.picture, face.points, spec.template)
        return try embed(spec, aligned) { crop in
            let result = try embedder.embed(image: UprightPhoto(picture: crop).mpImage())
            return result.embeddingResult.embeddings.first?.floatEmbedding?.map(\.doubleValue) ?? []
        }
    }
}
