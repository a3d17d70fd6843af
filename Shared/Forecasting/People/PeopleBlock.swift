import CKernels

/// People whose rows are worked on at once. Of the columns in which they may differ it holds one after the other, with a value of
/// each person.
enum PeopleBlock {
    static let rows = Int(ERM_ROWS)
    /// By which instructions.
    static let level = erm_level_best()
}
