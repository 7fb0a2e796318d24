require 'spec_helper'

# What holds on this machine, by hand.
describe package('coreutils') do
  it { should be_installed }
  it { should_not be_held }
end

describe package('no-such-package') do
  it { should_not be_installed }
end

describe 'its files' do
  describe file('/etc/passwd') do
    it { should exist }
    it { should be_file }
    it { should be_mode 644 }
    it { should be_owned_by 'root' }
    it { should contain 'root:x' }
    its(:content) { should match /^root:/ }
    its(:content) { should_not match(/^toor:/) }
    its(:size) { should be > 0 }
  end

  describe file('/proc/self') do
    it { is_expected.to be_symlink }
  end

  context 'and folders' do
    describe file('/tmp') do
      it { expect(subject).to be_directory }
      it { should exist }
      it { should be_owned_by 'root' }
    end
  end
end

describe user('root') do
  it { should exist }
  it { should have_uid 0 }
  it { should belong_to_group 'root' }
  it { should have_home_directory "/root" }
end

describe group('root') do
  it { should have_gid 0 }
end

describe command('printf "a\nb\n"; exit 3') do
  its(:exit_status) { should eq 3 }
  its(:stdout) { should match /^b$/ }
  its(:stdout) { should include "a" }
end

describe port(1) do
  it { should_not be_listening }
end
