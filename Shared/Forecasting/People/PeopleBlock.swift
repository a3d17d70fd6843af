import CKernels

/// People whose rows are worked on at once. Of the columns in which they may differ it holds one after the other, with a value of
/// each person.
enum PeopleBlock {
    static let rows = Int(ERM_ROWS)
    /// By which instructions.
    static let level = erm_level_best()

    /// Writes one column of ages, to the bit what ``FeatureSink/add(ageSince:to:_:)`` adds of each row.
    static func writeAges(
        since moments: UnsafePointer<Double>, to now: Double, _ ages: UnsafeMutablePointer<Float>,
        level: Int32 = level
    ) {
        erm_ages(level, now, moments, ages)
    }
}
