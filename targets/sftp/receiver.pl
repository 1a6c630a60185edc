# Writes files, renames, links and removes names, as it is told on standard input, and answers for each on standard output.
#
# Slipway starts it on a target's server, over the SSH connection that it has anyway (transfer = "stream"). It needs nothing
# but Perl's own modules, keeps nothing, and ends with its input. What one request is:
#
#   F <mode> <time> <sync> <size> <length>\n<path><content><verdict>   a new file; "-": no mode, no time; verdict k: keep it
#   R <length> <length>\n<old><new>                                    rename
#   L <length> <length>\n<old><new>                                    a second name
#   U <length> 0\n<path>                                               unlink
#
# The answer is ".", or "!<what> <error's name> <error's text>\n". Every path is taken as it is, each time anew: a folder
# that was renamed meanwhile is not there any more, which is what keeps an engine out that should have stopped.
use strict;
use warnings;
use Fcntl qw(O_WRONLY O_CREAT O_EXCL);
use IO::Handle;

my $CHUNK = 256 * 1024;
my @ERRORS = qw(ENOENT ENOTDIR EEXIST EACCES EPERM ENOSPC EDQUOT EFBIG EROFS EXDEV ENOTEMPTY EISDIR EINVAL ELOOP EBUSY ENAMETOOLONG
    EMLINK EIO);
my ($in, $answers) = ("", "");

# Ends whatever is under way: nobody is there any more.
sub gone { die "gone\n" }

sub say_all {
    while (length $answers) {
        my $sent = syswrite STDOUT, $answers;
        defined $sent or gone();
        substr($answers, 0, $sent) = "";
    }
}

# Some more input; answers go out before it is waited for.
sub more {
    say_all();
    sysread STDIN, $in, $CHUNK, length $in or gone();
}

sub take {
    my ($count) = @_;
    more() while length $in < $count;
    return substr $in, 0, $count, "";
}

sub line {
    my $end;
    more() while ($end = index $in, "\n") < 0;
    my $line = substr $in, 0, $end, "";
    substr($in, 0, 1) = "";
    return $line;
}

sub fault {
    my ($doing) = @_;
    my ($text, $name) = ("$!", "EIO");
    for my $known (@ERRORS) { $name = $known if $!{$known} }
    return "!$doing $name $text\n";
}

# The content of one file: all of it is taken, whatever becomes of it.
sub fill {
    my ($out, $left, $wrong) = @_;
    while ($left) {
        more() while length $in < ($left < $CHUNK ? $left : $CHUNK);
        my $here = length $in < $left ? length $in : $left;
        for (my $at = 0; $at < $here and not $wrong;) {
            my $wrote = syswrite $out, $in, $here - $at, $at;
            if (defined $wrote) { $at += $wrote } else { $wrong = fault("write") }
        }
        substr($in, 0, $here) = "";
        $left -= $here;
    }
    return $wrong;
}

sub finish {
    my ($out, $mode, $time, $sync) = @_;
    return fault("set-mode") if $mode ne "-" and not chmod oct $mode, $out;
    return fault("set-times") if $time ne "-" and not utime $time, $time, $out;
    return fault("sync") if $sync and not $out->sync;
    return "";
}

sub file {
    my ($mode, $time, $sync, $size, $length) = @_;
    my $path = take($length);
    my $wrong = "";
    my $made = sysopen my $out, $path, O_WRONLY | O_CREAT | O_EXCL, $mode eq "-" ? 0666 : oct $mode;
    $wrong = fault("create") unless $made;
    my $kept = eval {
        $wrong = fill($out, $size, $wrong);
        my $keep = take(1) eq "k";
        $wrong ||= finish($out, $mode, $time, $sync) if $keep;
        $keep;
    };
    my $cut = $@;
    $wrong ||= fault("close") if $made and not close $out;
    unlink $path if $made and ($wrong or not $kept);
    die $cut if $cut;
    $answers .= $wrong || ".";
}

sub names {
    my ($kind, $first, $second) = @_;
    my ($old, $new) = (take($first), take($second));
    my $done = $kind eq "R" ? rename $old, $new : $kind eq "L" ? link $old, $new : unlink $old;
    $answers .= $done ? "." : fault("change");
}

$SIG{PIPE} = "IGNORE";
binmode STDIN;
binmode STDOUT;
$answers = "slipway receiver 1\n";
eval {
    while (1) {
        my ($kind, @fields) = split " ", line();
        $kind eq "F" ? file(@fields) : names($kind, @fields);
        say_all() if length $answers > 4096;
    }
};
die $@ unless $@ eq "gone\n";
