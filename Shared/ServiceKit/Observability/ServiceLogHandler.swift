import Basics
import Contracts
import Foundation
import Glibc
public import Logging
import Synchronization

/// Log lines as JSON objects (`time`, `level`, `service`, `message` and the metadata), or as text for people.
public struct ServiceLogHandler: LogHandler {
    public enum Format: String, Sendable { case json, text }

    public var logLevel: Logger.Level
    public var metadata: Logger.Metadata = [:]
    public var metadataProvider: Logger.MetadataProvider?
    private let service: String
    private let label: String
    private let format: Format
    private let write: @Sendable (String) -> Void

    /// - Parameter write: takes one line with its line break; called by many threads at once.
    public init(
        service: String, label: String, level: Logger.Level, format: Format,
        write: @escaping @Sendable (String) -> Void = StandardOutput.write
    ) {
        self.service = service
        self.label = label
        self.logLevel = level
        self.format = format
        self.write = write
    }

    public subscript(metadataKey key: String) -> Logger.MetadataValue? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        var fields = metadata
        if let provided = metadataProvider?.get() { fields.merge(provided) { _, new in new } }
        if let own = event.metadata { fields.merge(own) { _, new in new } }
        let time = WireJSON.timestamp(Date())
        switch format {
        case .json: write(json(event, fields: fields, time: time))
        case .text: write(text(event, fields: fields, time: time))
        }
    }

    private func json(_ event: LogEvent, fields: Logger.Metadata, time: String) -> String {
        var line = "{\"time\":\"\(time)\",\"level\":\"\(event.level)\",\"service\":"
        line += JSONText.quoted(service) + ",\"message\":" + JSONText.quoted("\(event.message)")
        if label != service { line += ",\"logger\":" + JSONText.quoted(label) }
        for (key, value) in fields.sorted(by: { $0.key < $1.key }) {
            // Never twice the same member: a reader would keep whichever it likes.
            let name = Self.reserved.contains(key) ? key + "_" : key
            line += "," + JSONText.quoted(name) + ":" + Self.json(value)
        }
        return line + "}\n"
    }

    private func text(_ event: LogEvent, fields: Logger.Metadata, time: String) -> String {
        var line = "\(time) \(event.level) \(service): \(event.message)"
        for (key, value) in fields.sorted(by: { $0.key < $1.key }) { line += " \(key)=\(value)" }
        return line.replacing("\n", with: "\\n") + "\n"
    }

    private static let reserved: Set<String> = ["time", "level", "service", "message", "logger"]

    private static func json(_ value: Logger.MetadataValue) -> String {
        switch value {
        case .string(let text): JSONText.quoted(text)
        case .stringConvertible(let value as any BinaryInteger): "\(value)"
        case .stringConvertible(let value as Double) where value.isFinite: "\(value)"
        case .stringConvertible(let value as Bool): "\(value)"
        case .stringConvertible(let value): JSONText.quoted("\(value)")
        case .array(let values): "[" + values.map(json).joined(separator: ",") + "]"
        case .dictionary(let members):
            "{"
                + members.sorted { $0.key < $1.key }.map { JSONText.quoted($0.key) + ":" + json($0.value) }.joined(
                    separator: ",") + "}"
        }
    }
}

/// Text as a JSON string.
enum JSONText {
    static func quoted(_ text: String) -> String {
        var line = ""
        append(text, to: &line)
        return line
    }

    static func append(_ text: String, to line: inout String) {
        line += "\""
        // Nearly all text is plain.
        if text.utf8.allSatisfy({ $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) {
            line += text
        } else {
            line += escaped(text)
        }
        line += "\""
    }

    private static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where scalar.value < 0x20:
                result += "\\u00" + CollectionOfOne(UInt8(scalar.value)).hex
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}

/// The process's standard output, one whole line at a time.
public enum StandardOutput {
    private static let lock = Mutex(())

    @Sendable public static func write(_ line: String) {
        var line = line
        lock.withLock { _ in
            // Not through a copy: the access log writes hundreds of lines at once.
            line.withUTF8 { bytes in
                var rest = UnsafeRawBufferPointer(bytes)
                while !rest.isEmpty {
                    let count = Glibc.write(STDOUT_FILENO, rest.baseAddress, rest.count)
                    // Of a log that cannot be written nobody can be told.
                    guard count >= 0 || errno == EINTR else { return }
                    rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(max(0, count)))
                }
            }
        }
    }
}
