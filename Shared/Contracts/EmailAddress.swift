/// How e-mail addresses are compared, at every door: at a login, an invitation, a reset, and by what counts failures.
public enum EmailAddress {
    /// Equal for addresses that are one person's: as names are compared (``Swift/String/folded``), and "ß" as "ss", which is its
    /// upper case. In SQL the column `email_key` of migrations/tenant.
    public static func key(_ address: String) -> String { address.folded.replacing("ß", with: "ss") }
}
