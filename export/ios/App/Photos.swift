// Photos as pixels: upright, in sRGB.
import MediaPipeTasksVision
import UIKit

// A photo of 4 bytes a pixel and its copy have to fit into the app's memory.
private let longestSide = 4096.0

struct UprightPhoto {
    let picture: Picture

    init(picture: Picture) {
        self.picture = picture
    }

    /// A larger photo than 4096 pixels is made smaller.
    init(_ image: UIImage) throws {
        let pixels = CGSize(width: image.size.width * image.scale, height: image.size.height * image.scale)
        let scale = min(1, longestSide / max(pixels.width, pixels.height, 1))
        let (width, height) = (Int((pixels.width * scale).rounded()), Int((pixels.height * scale).rounded()))
        guard width > 0, height > 0 else {
            throw KerasfaceError("This photo can't be read.")
        }
        var picture = Picture(width: width, height: height)
        try picture.data.withUnsafeMutableBytes { bytes in
            guard
                let space = CGColorSpace(name: CGColorSpace.sRGB),
                let context = CGContext(
                    data: bytes.baseAddress, width: width, height: height, bitsPerComponent: 8, bytesPerRow: 4 * width,
                    space: space, bitmapInfo: CGImageAlphaInfo.premultipliedLast.rawValue
                )
            else {
                throw KerasfaceError("This photo can't be read.")
            }
            // UIKit draws from the top, and turns the photo by its EXIF orientation.
            context.translateBy(x: 0, y: CGFloat(height))
            context.scaleBy(x: 1, y: -1)
            UIGraphicsPushContext(context)
            image.draw(in: CGRect(x: 0, y: 0, width: width, height: height))
            UIGraphicsPopContext()
        }
        self.picture = picture
    }

    func mpImage() throws -> MPImage {
        guard
            let space = CGColorSpace(name: CGColorSpace.sRGB),
            let provider = CGDataProvider(data: Data(picture.data) as CFData),
            let image = CGImage(
                width: picture.width, height: picture.height, bitsPerComponent: 8, bitsPerPixel: 32,
                bytesPerRow: 4 * picture.width, space: space,
                bitmapInfo: CGBitmapInfo(rawValue: CGImageAlphaInfo.premultipliedLast.rawValue), provider: provider,
                decode: nil, shouldInterpolate: false, intent: .defaultIntent
            )
        else {
            throw KerasfaceError("This photo can't be read.")
        }
        return try MPImage(uiImage: UIImage(cgImage: image))
    }
}
