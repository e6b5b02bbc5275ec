using System.Runtime.Versioning;

// Processes, signals and the rights of files are Linux's.
[assembly: SupportedOSPlatform("linux")]
