import Contracts
import ServiceIdentity

/// Binds a cursor to the list that gave it. A cursor of another list, or of another person's list, would point at a meaningless
/// place and answer an empty page as if the list had ended.
public enum ListCursor {
    /// The path of the list that is being answered.
    @TaskLocal static var list = ""

    /// The cursor as the client gets it.
    public static func wrap(_ cursor: String, of list: String) -> String { "\(tag(list)).\(cursor)" }

    /// nil when the cursor is not of this list.
    static func unwrap(_ text: String, of list: String) -> String? {
        let prefix = tag(list) + "."
        return text.hasPrefix(prefix) ? String(text.dropFirst(prefix.count)) : nil
    }

    private static func tag(_ list: String) -> String {
        Base64URL.encode(Array(RandomToken.digest("list:\(list)").prefix(6)))
    }
}
