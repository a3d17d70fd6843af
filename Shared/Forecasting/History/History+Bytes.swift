extension History {
    /// About how many bytes of memory it takes. Most of them are an allocation's rows in the dozen series of its groups.
    public var bytes: Int {
        allocationCount * 2_400 + capacityDayCount * 48 + recordCount * 400
    }

    /// About how many more are taken by what is kept between questions about many people; it changes with questions.
    public var keptBytes: Int { kept.bytes }
}
