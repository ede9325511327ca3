// swift-tools-version: 5.9
// The part of the app that needs no iPhone, so that `swift test` holds it to export/vectors on any machine.
import PackageDescription

let package = Package(
    name: "KerasfaceCore",
    targets: [
        .target(name: "KerasfaceCore", path: "Core"),
        .testTarget(name: "KerasfaceCoreTests", dependencies: ["KerasfaceCore"], path: "Tests"),
    ]
)
