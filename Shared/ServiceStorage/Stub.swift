enum ServiceStorageStub {}
