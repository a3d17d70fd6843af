/// The text of `--help`.
public enum ConfigurationHelp {
    public static func text(program: String, keys: [ConfigurationKey]) -> String {
        var lines = [
            "usage: \(program) [--flag value]...", "",
            "Each flag may also be given as the environment variable beside it; a flag wins.", "",
        ]
        for key in keys {
            let qualities = [
                key.kind.hint, key.isRequired ? "required" : nil, key.defaultValue.map { "default \($0)" },
            ]
            lines.append("  \(key.flag)  (\(key.environmentVariable))")
            lines.append("      \(key.help) \(qualities.compactMap(\.self).joined(separator: "; ")).")
            if let file = key.fileVariant {
                lines.append("      Or \(file.flag) (\(file.environmentVariable)): a file that holds it.")
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
